//! Patterns of paths mean the same wherever the service is: bare, below a nest of axum's, and in the
//! router that the service makes.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use http::Request;
use http_body::Body;
use smooth_origin::origin::{Origin, block_on};
use smooth_origin::service::{
    CacheClass, CacheControl, Caching, OriginService, PassedFiles, ServiceOptions,
};
use tower_service::Service;

use crate::asked::request;
use crate::stores::film;

fn service() -> OriginService {
    let short = CacheControl::max_age(Duration::from_secs(2));
    let caching = Caching::default()
        .for_paths("film.ism/*", CacheClass::Manifest, short.clone())
        .for_paths("/film.ism/*", CacheClass::Fragment, short.clone())
        .for_paths("art/*.jpg", CacheClass::File, short.clone())
        .for_paths("vod/*", CacheClass::Manifest, CacheControl::no_store());
    let options = ServiceOptions::default().caching(caching);
    OriginService::with_options(
        Origin::new(film()),
        options.files(PassedFiles::matching(["art/*"])),
    )
}

/// Status and `Cache-Control` of a service that never fails.
fn ask<S, B>(service: &mut S, target: &str) -> (u16, String)
where
    S: Service<Request<String>, Response = http::Response<B>>,
    S::Error: std::fmt::Debug,
    B: Body + Unpin,
{
    block_on(poll_fn(|context| service.poll_ready(context))).unwrap();
    let request = request("GET", target, &[]).map(|()| String::new());
    let response = block_on(service.call(request)).unwrap();
    let control = response.headers().get("cache-control").map(|v| v.to_str().unwrap().to_owned());
    let status = response.status().as_u16();
    let mut body = response.into_body();
    while block_on(poll_fn(|context| Pin::new(&mut body).poll_frame(context))).is_some() {}
    (status, control.unwrap_or_default())
}

/// Paths below the service, and what they are answered with.
const ROWS: [(&str, u16, &str); 8] = [
    ("/film.ism/Manifest", 200, "max-age=2"),
    ("/%66ilm.ism/Manifest", 200, "max-age=2"),
    ("/film.ism/QualityLevels(300)/Fragments(video=0)", 200, "max-age=2"),
    ("/film.ism/QualityLevels(300)/Fragments(audio=0)", 404, "max-age=5"),
    ("/art/poster.jpg", 200, "max-age=2"),
    ("/%61rt/poster.jpg", 200, "max-age=2"),
    ("/art/empty.txt", 200, "max-age=60"),
    ("/film.ismv", 403, "max-age=5"),
];

fn check(mut service: impl FnMut(&str) -> (u16, String), prefix: &str) {
    for (path, status, control) in ROWS {
        let target = format!("{prefix}{path}");
        assert_eq!(service(&target), (status, control.to_owned()), "{target}");
    }
}

#[test]
fn a_bare_service_is_asked_by_the_whole_path() {
    let mut service = service();
    check(|target| ask(&mut service, target), "");
}

#[cfg(feature = "axum")]
#[test]
fn a_router_of_the_service_removes_its_prefix() {
    for prefix in ["/vod", "/art", "/a/b"] {
        let mut router = service().router(prefix);
        check(|target| ask(&mut router, target), prefix);
    }
}

#[cfg(feature = "axum")]
#[test]
fn a_nest_of_axum_removes_its_prefix() {
    // A router of another service, as an application has one already.
    let application = || service().router("/other");
    let mut nested = application().nest_service("/vod", service());
    check(|target| ask(&mut nested, target), "/vod");
    let mut twice = application().nest("/a", application().nest_service("/b", service()));
    check(|target| ask(&mut twice, target), "/a/b");
}
