//! The sites of all listeners, over the same content.

use std::net::SocketAddr;
use std::sync::Arc;

use common::{Catalogue, Content, Failure, Listing};
use smooth_origin::service::IngestService;

use crate::Options;
use crate::access::Access;
use crate::current::Current;
use crate::live::{self, Live, OfEach};
use crate::operator::{Operator, Place};
use crate::page::{Hosts, Media, Page};
use crate::site::{Parts, Site};

/// The sites of all listeners.
pub(crate) struct Sites {
    content: Content,
    catalogue: Catalogue,
    access: Access,
    /// Takes pushes, if encoders may push; it knows the headers that they have sent.
    ingest: Option<IngestService>,
    of_each: OfEach,
    main: Front,
    operator: Option<Front>,
    listing: Option<Listing>,
}

/// A listener with the site that answers there.
struct Front {
    scheme: &'static str,
    address: SocketAddr,
    place: Place,
    site: Current,
}

impl Sites {
    /// Makes the sites of the main listener, and of the operator's if there is one.
    ///
    /// # Errors
    /// The tokens of clients that may purge cannot be read.
    pub(crate) fn new(
        content: Content,
        access: Access,
        options: &Options,
        of_each: OfEach,
        (scheme, address): (&'static str, SocketAddr),
        operator: Option<SocketAddr>,
    ) -> Result<Self, Failure> {
        let catalogue = content.catalogue();
        let takes_pushes = options.live.is_on();
        let ingest = content.live().filter(|_| takes_pushes).cloned().map(IngestService::new);
        let place = match operator {
            // A proxy that is trusted is in front, perhaps on this machine.
            None if is_loopback(address) && !access.trusts_proxies() => Place::Loopback,
            _ => Place::Public,
        };
        let of_main = (scheme, address);
        let front = |scheme, address, place| {
            let taken = (&content, &catalogue, &access, &ingest);
            let parts = parts(taken, options, (address, place), of_main)?;
            Ok::<_, Failure>(Front { scheme, address, place, site: Current::new(Site::new(parts)) })
        };
        let main = front(scheme, address, place)?;
        let operator = operator.map(|address| front("http", address, Place::Own)).transpose()?;
        Ok(Self { content, catalogue, access, ingest, of_each, main, operator, listing: None })
    }

    /// Returns the site of the main listener.
    pub(crate) fn main(&self) -> Current {
        self.main.site.clone()
    }

    /// Returns the site of the operator's listener.
    pub(crate) fn operator(&self) -> Option<Current> {
        self.operator.as_ref().map(|front| front.site.clone())
    }

    /// Returns where the page is: the scheme and the address.
    pub(crate) fn page(&self) -> Option<(&'static str, SocketAddr)> {
        let front = self.operator.as_ref().unwrap_or(&self.main);
        let has_page = front.place != Place::Public && front.site.now().has_page();
        has_page.then_some((front.scheme, front.address))
    }

    /// Starts to list the presentations.
    pub(crate) fn list(&mut self) {
        self.listing = Some(self.content.list(self.main.scheme, self.main.address));
    }

    /// Replaces what the options have changed. Requests that have begun end as they began.
    ///
    /// # Errors
    /// As at the start; then nothing has changed.
    pub(crate) fn reload(&mut self, options: &Options) -> Result<(), Failure> {
        let content = self.content.again(&options.common, options.memory())?;
        let folders = options.common.folders_in_urls()?;
        let catalogue = match content.has_same_places(&self.content) {
            true => self.catalogue.clone(),
            false => content.catalogue(),
        };
        let fronts = [Some(&self.main), self.operator.as_ref()];
        let made: Vec<_> = fronts
            .into_iter()
            .flatten()
            .map(|front| {
                let place = (front.address, front.place);
                let of_main = (self.main.scheme, self.main.address);
                let taken = (&content, &catalogue, &self.access, &self.ingest);
                let parts = parts(taken, options, place, of_main)?;
                Ok::<_, Failure>((&front.site, Site::new(parts)))
            })
            .collect::<Result<_, _>>()?;
        // Nothing can fail any more.
        if let Some(points) = content.live() {
            live::configure(points, &options.live, &self.of_each, &folders);
        }
        for (current, site) in made {
            current.replace(site);
        }
        let is_same_origin = content.is_of_same_origin(&self.content);
        (self.content, self.catalogue) = (content, catalogue);
        if !is_same_origin {
            // The new listing lists at once; the old thread ends with its channel.
            self.list();
        }
        Ok(())
    }

    /// Has all presentations looked at again.
    pub(crate) fn look_again(&self) {
        self.catalogue.look_again();
        if let Some(listing) = &self.listing {
            listing.again();
        }
    }

    /// Has `/readyz` say that the server stops.
    pub(crate) fn stopping(&self) {
        for front in [Some(&self.main), self.operator.as_ref()].into_iter().flatten() {
            front.site.now().stopping();
        }
    }

    /// Returns how many fragments came from memory, and of how many.
    pub(crate) fn hits(&self) -> (u64, u64) {
        let stats = self.content.origin().fragment_cache();
        (stats.hits, stats.hits + stats.misses)
    }
}

pub(crate) fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// Returns the parts of the site of a listener.
fn parts(
    (content, catalogue, access, ingest): (&Content, &Catalogue, &Access, &Option<IngestService>),
    options: &Options,
    (address, place): (SocketAddr, Place),
    of_main: (&'static str, SocketAddr),
) -> Result<Parts, Failure> {
    let origin = content.origin();
    let live = ingest.clone().map(|service| Live::new(service, &options.live)).transpose()?;
    let hosts = Hosts::new(&options.page.page_host);
    let operator = Operator::new(content, &options.operator, hosts.clone(), place)?;
    let page = Page {
        healths: Arc::default(),
        origin: origin.clone(),
        catalogue: catalogue.clone(),
        address,
        formats: content.formats().to_vec(),
        hosts,
        media: match (&options.page.media_url, address == of_main.1) {
            (Some(url), _) => Media::Named(url.clone()),
            (None, true) => Media::Here,
            (None, false) => Media::There(of_main.0, of_main.1),
        },
        live: content.live().filter(|_| ingest.is_some()).cloned(),
    };
    let has_page = place != Place::Public && !options.listeners.no_page;
    Ok(Parts {
        service: content.service.clone(),
        hosts: content.hosts().clone(),
        access: access.clone(),
        live,
        operator: Some(operator),
        page: has_page.then_some(page),
    })
}
