//! Everything that one listener answers: presentations first, and beside them what is for the operator alone.
//!
//! ```text
//!  connection ─► access (who asks, log) ─► site ─┬─► operator: health, metrics, purge
//!                                                ├─► page: the page, its files, its JSON
//!                                                └─► service: presentations
//! ```

mod body;

use std::sync::Arc;

use http::Response;
use hyper::Request;
use hyper::body::Incoming;
use smooth_origin::service::OriginService;

pub(crate) use body::SiteBody;

use crate::access::Client;
use crate::operator::Operator;
use crate::page::Page;

/// Answers the requests of a listener. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Site(Arc<Parts>);

/// The parts of a site; those that a listener does not have are `None`.
pub(crate) struct Parts {
    pub(crate) service: OriginService,
    pub(crate) operator: Option<Operator>,
    pub(crate) page: Option<Page>,
}

impl Site {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    pub(crate) async fn respond(
        &self,
        request: Request<Incoming>,
        client: &Client,
    ) -> Response<SiteBody> {
        let parts = &*self.0;
        if let Some(operator) = &parts.operator
            && let Some(response) = operator.respond(&request, client).await
        {
            return response;
        }
        if let Some(page) = &parts.page
            && let Some(response) = page.respond(&request).await
        {
            return response;
        }
        parts.service.respond(&request).await.map(SiteBody::Service)
    }
}
