//! Buckets on servers that do what no server should: for each fault the error, the sentence for the
//! operator, the status for the client, and that no wrong byte comes out.

#![cfg(all(feature = "s3", feature = "azure", feature = "gcs", feature = "http-store"))]

mod answers;
mod credentials;
mod listings;
mod server;
mod table;
mod versions;

use std::future::Future;

use smooth_origin::storage::{Bucket, Location, Protocol};

use server::Server;

/// Where the objects are: every request must be for a key below `films/`.
const PREFIX: &str = "films";

/// All languages of stores; TLS is for `e2e/stores`.
const ALL: [Protocol; 4] = [Protocol::S3, Protocol::Azure, Protocol::Google, Protocol::Http];

/// Clouds, whose errors have codes.
const CLOUDS: [Protocol; 3] = [Protocol::S3, Protocol::Azure, Protocol::Google];

/// Words that no text for an operator may have.
const SECRETS: [&str; 7] =
    ["the-key", "dGhlLXNlY3JldA", "the-token", "Signature=", "sig=", "127.0.0.1", "Bearer"];

fn bucket(protocol: Protocol, server: &Server) -> Bucket {
    let host = server.address.strip_prefix("http://").unwrap();
    let location = match protocol {
        Protocol::Http => format!("http://{host}/{PREFIX}"),
        other => format!("{}://vod/{PREFIX}", other.scheme()),
    };
    connect(&location, server, &[])
}

/// Connects with these variables, or else with ones that suit.
fn connect(location: &str, server: &Server, variables: &[(&str, &str)]) -> Bucket {
    let location = Location::parse(location).unwrap();
    Bucket::connect(&location, |name| {
        let set = variables.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
        Some(match (name, set) {
            (_, Some(value)) => value.to_owned(),
            ("AWS_ENDPOINT_URL" | "AZURE_STORAGE_ENDPOINT" | "GOOGLE_BASE_URL", _) => {
                server.address.clone()
            }
            ("AWS_ACCESS_KEY_ID", _) => "the-key".to_owned(),
            ("AZURE_STORAGE_ACCOUNT_NAME", _) => "account".to_owned(),
            ("AWS_SECRET_ACCESS_KEY" | "AZURE_STORAGE_ACCOUNT_KEY", _) => "dGhlLXNlY3JldA==".into(),
            ("AWS_SESSION_TOKEN" | "GOOGLE_BEARER_TOKEN", _) => "the-token".to_owned(),
            ("HTTP_STORE_AUTHORIZATION", _) => "Bearer the-token".to_owned(),
            _ => return None,
        })
    })
    .unwrap()
}

fn on_tokio(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn an_endpoint_without_a_scheme_is_refused_with_the_name_of_its_variable() {
    for (location, variable) in [
        ("s3://vod", "AWS_ENDPOINT_URL"),
        ("az://vod", "AZURE_STORAGE_ENDPOINT"),
        ("az://vod", "IDENTITY_ENDPOINT"),
        ("gs://vod", "GOOGLE_BASE_URL"),
        ("gs://vod", "STORAGE_EMULATOR_HOST"),
    ] {
        let bucket = Bucket::connect(&Location::parse(location).unwrap(), |name| match name {
            name if name == variable => Some("127.0.0.1:9000".into()),
            "AWS_SKIP_SIGNATURE" | "AZURE_SKIP_SIGNATURE" | "GOOGLE_SKIP_SIGNATURE" => {
                Some("true".into())
            }
            "AZURE_STORAGE_ACCOUNT_NAME" => Some("account".into()),
            _ => None,
        });
        let error = bucket.unwrap_err().to_string();
        assert!(error.starts_with(&format!("{variable} does not begin with http://")), "{error}");
    }
}
