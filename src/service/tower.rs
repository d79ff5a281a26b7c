//! The implementation of the trait of `tower`.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::{OriginService, ServiceBody};

impl<B: Send + 'static> Service<Request<B>> for OriginService {
    type Response = Response<ServiceBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        // The request's body is dropped here: nothing of it is wanted.
        let request = request.map(drop);
        Box::pin(async move { Ok(service.respond(&request).await) })
    }
}
