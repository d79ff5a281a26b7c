//! Everything that a reload replaces: the folders, the origin over them, and the service.

use std::net::SocketAddr;
use std::path::PathBuf;

use smooth_origin::origin::{LivePoints, Origin};
use smooth_origin::service::OriginService;

use crate::catalogue::Catalogue;
use crate::formats::Format;
use crate::listing::walk::WalkOptions;
use crate::listing::{Listing, Shown};
use crate::roots::Roots;
use crate::rules::HostRules;
use crate::{Arguments, Failure, Memory, origin};

/// The folders that are served, and the service that answers for them.
pub struct Content {
    /// Answers requests.
    pub service: OriginService,
    roots: Roots,
    hosts: HostRules,
    walk: WalkOptions,
    formats: Vec<Format>,
    list: usize,
    live: Option<LivePoints>,
    /// The options that the origin is made of. If they stay, so does the origin with its memory.
    of_origin: String,
}

impl Content {
    /// Opens the folders.
    ///
    /// # Errors
    /// A folder cannot be opened, or an option of the service makes no sense.
    pub(crate) fn open(
        arguments: &Arguments,
        memory: Memory,
        live: Option<LivePoints>,
    ) -> Result<Self, Failure> {
        Self::with(arguments, memory, live, None)
    }

    /// The content by other options. The origin stays if none of them is about it.
    ///
    /// # Errors
    /// As at the start.
    pub fn again(&self, arguments: &Arguments, memory: Memory) -> Result<Self, Failure> {
        Self::with(arguments, memory, self.live.clone(), Some(self))
    }

    fn with(
        arguments: &Arguments,
        memory: Memory,
        live: Option<LivePoints>,
        old: Option<&Self>,
    ) -> Result<Self, Failure> {
        let roots = arguments.roots()?;
        let Arguments { links_into, exact_names, origin: options, .. } = arguments;
        let of_origin = format!("{roots:?} {links_into:?} {exact_names} {options:?} {memory:?}");
        let origin = match old.filter(|old| old.of_origin == of_origin) {
            Some(old) => old.service.origin().clone(),
            None => origin::build(&roots, arguments, memory, live.clone())?,
        };
        Ok(Self {
            service: OriginService::with_options(origin, arguments.service.options()?),
            roots,
            hosts: HostRules::new(&arguments.store),
            walk: arguments.walk_options(),
            formats: arguments.formats(),
            list: arguments.list,
            live,
            of_origin,
        })
    }

    /// Returns the origin of the folders.
    pub fn origin(&self) -> &Origin {
        self.service.origin()
    }

    /// Returns whether the origin, with its memory, is that of `other`.
    pub fn is_of_same_origin(&self, other: &Self) -> bool {
        self.of_origin == other.of_origin
    }

    /// Returns whether presentations are found in the same places as those of `other`.
    pub fn has_same_places(&self, other: &Self) -> bool {
        self.roots == other.roots && self.walk == other.walk
    }

    /// Returns the folders that are served.
    pub fn folders(&self) -> Vec<PathBuf> {
        self.roots.only_folders().map(Into::into).collect()
    }

    /// Returns the rules about hosts.
    pub fn hosts(&self) -> &HostRules {
        &self.hosts
    }

    /// Returns the publishing points, if encoders may push.
    pub fn live(&self) -> Option<&LivePoints> {
        self.live.as_ref()
    }

    /// Returns the formats that are served.
    pub fn formats(&self) -> &[Format] {
        &self.formats
    }

    /// Returns the names of the presentations, which nothing looks for yet.
    pub fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.roots.clone(), self.walk.clone())
    }

    /// Starts the thread that lists the presentations, for clients of a server at this address.
    pub fn list(&self, scheme: &'static str, address: SocketAddr) -> Listing {
        let shown = Shown {
            scheme,
            address,
            roots: self.roots.clone(),
            walk: self.walk.clone(),
            formats: self.formats.clone(),
            limit: self.list,
        };
        Listing::start(self.origin().clone(), shown)
    }
}
