//! Readers by libraries: `object_store` alone, and an origin over the same store.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore};
use smooth_origin::origin::{Answer, Origin};
use smooth_origin::storage::{Bucket, LimitStore, Location, Resilience};

use crate::fragments::{Fragment, Fragments};
use crate::{BUCKET, Times};

/// A setting that an operator makes; the server does not check it.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "key"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "us-east-1"),
];

/// Operations of a store at one time, as `serve` has them.
const READS: usize = 256;

#[derive(Clone)]
pub(crate) enum Library {
    Store(Arc<AmazonS3>),
    Origin(Origin),
}

impl Library {
    /// `object_store` with its defaults.
    pub(crate) fn store(port: u16) -> Self {
        // The store wants a provider of TLS for plain HTTP, too.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = AmazonS3Builder::new().with_bucket_name(BUCKET).with_endpoint(endpoint(port));
        let builder = ENVIRONMENT.into_iter().fold(builder, |builder, (name, value)| {
            builder.with_config(name.to_ascii_lowercase().parse().expect("a name of S3"), value)
        });
        Self::Store(Arc::new(
            builder.with_allow_http(true).build().expect("the settings are right"),
        ))
    }

    /// An origin as `serve` has it, whose requests run where it is asked. The presentation is open.
    pub(crate) async fn origin(port: u16, fragments: &Fragments) -> Self {
        let location = Location::parse(&format!("s3://{BUCKET}")).expect("a location");
        let bucket = Bucket::connect(&location, |name| match name {
            "AWS_ENDPOINT_URL" => Some(endpoint(port)),
            name => ENVIRONMENT
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).into()),
        });
        let bucket = bucket.expect("the settings are right");
        let store = Resilience::new().around(LimitStore::new(bucket, READS));
        let origin = Self::Origin(Origin::builder(store).remote_store().build());
        if let Some(fragment) = fragments.all().first() {
            origin.read(fragment, |_, _| ()).await;
        }
        origin
    }

    pub(crate) async fn read_all(&self, fragments: &Fragments) -> Vec<Times> {
        let mut times = Vec::new();
        while let Some(fragment) = fragments.next() {
            let began = Instant::now();
            let mut first = None;
            self.read(fragment, |at, part| {
                first.get_or_insert_with(|| began.elapsed());
                fragments.compare(fragment, at, part);
            })
            .await;
            let whole = began.elapsed();
            times.push(Times { first: first.unwrap_or(whole), whole });
        }
        times
    }

    /// Reads a fragment, part by part, each with its place.
    async fn read(&self, fragment: &Fragment, mut each: impl FnMut(u64, &Bytes)) {
        let mut at = 0;
        let mut take = |part: Bytes| {
            each(at, &part);
            at += part.len() as u64;
        };
        match self {
            Self::Store(store) => {
                let path = Path::parse(&fragment.key).expect("a key");
                let options = GetOptions::new().with_range(Some(fragment.range.clone()));
                let result = store.get_opts(&path, options).await.expect("the store answers");
                let mut stream = result.into_stream();
                while let Some(part) = stream.next().await {
                    take(part.expect("the body is whole"));
                }
            }
            Self::Origin(origin) => {
                let answer = origin.answer(&fragment.path).await.expect("the origin answers");
                let Answer::Reply(served) = answer else { panic!("{}: a redirect", fragment.path) };
                let mut body = served.body();
                while let Some(part) = body.next().await {
                    take(part.expect("the body is whole"));
                }
            }
        }
        assert_eq!(at, fragment.len(), "{}", fragment.path);
    }
}

fn endpoint(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
