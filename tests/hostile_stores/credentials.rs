//! Credentials that expire while a bucket is in use.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use smooth_origin::storage::{Bucket, Ends, Location, RangeSource, Store};
use testkit::folder::Folder;
use testkit::name;

use super::answers::{coded, content, honest, whole};
use super::on_tokio;
use super::server::{Asked, Deed, Server};

/// A time as services write it that give credentials.
fn in_seconds(seconds: u64) -> String {
    let since = (SystemTime::now() + Duration::from_secs(seconds))
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    // Days since 0000-03-01 and back, as Howard Hinnant's `civil_from_days` does it.
    let days = since / 86400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (since / 3600 % 24, since / 60 % 60, since % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn given(number: usize, lifetime: u64) -> Vec<Deed> {
    let expiration = in_seconds(lifetime);
    let text = format!(
        "{{\"Code\":\"Success\",\"AccessKeyId\":\"key-{number}\",\"SecretAccessKey\":\"the-secret\",\"Token\":\"token-{number}\",\"Expiration\":\"{expiration}\"}}"
    );
    whole("200 OK", "Content-Type: application/json\r\n", &text)
}

fn given_by_sts(number: usize, lifetime: u64) -> Vec<Deed> {
    let expiration = in_seconds(lifetime);
    let text = format!(
        "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>token-{number}</SessionToken><SecretAccessKey>the-secret</SecretAccessKey><Expiration>{expiration}</Expiration><AccessKeyId>key-{number}</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    );
    whole("200 OK", "Content-Type: text/xml\r\n", &text)
}

/// A store that takes no key but the latest one of a service, and the service itself.
struct World {
    server: Server,
    /// Credentials that were given so far.
    count: Arc<AtomicUsize>,
}

impl World {
    /// Each new credentials end the ones before. From the number `broken` on, the service fails.
    async fn start(lifetime: u64, broken: usize) -> Self {
        let count = Arc::new(AtomicUsize::new(0));
        let given_so_far = count.clone();
        let server = Server::start(move |_, asked| {
            let next = |give: fn(usize, u64) -> Vec<Deed>| match given_so_far
                .fetch_add(1, Ordering::SeqCst)
            {
                number if number >= broken => {
                    given_so_far.store(broken, Ordering::SeqCst);
                    whole("500 Internal Server Error", "", "the-secret")
                }
                number => give(number + 1, lifetime),
            };
            let path = asked.target.split('?').next().unwrap_or_default();
            match path {
                "/latest/api/token" => whole("200 OK", "", "the-metadata-token"),
                "/latest/meta-data/iam/security-credentials/" => whole("200 OK", "", "role"),
                "/latest/meta-data/iam/security-credentials/role" | "/container" => next(given),
                "/sts" => next(given_by_sts),
                _ => match given_so_far.load(Ordering::SeqCst) {
                    number if asked.head.contains(&format!("Credential=key-{number}/")) => {
                        honest(asked)
                    }
                    _ => coded(asked, "400 Bad Request", "ExpiredToken"),
                },
            }
        })
        .await;
        Self { server, count }
    }

    fn connect(&self, variables: &[(&str, String)]) -> Bucket {
        let location = Location::parse("s3://vod/films").unwrap();
        Bucket::connect(&location, |name| match name {
            "AWS_ENDPOINT_URL" => Some(self.server.address.clone()),
            _ => {
                let set = variables.iter().find(|(key, _)| *key == name);
                set.map(|(_, value)| value.replace("SERVER", &self.server.address))
            }
        })
        .unwrap()
    }
}

type Answer = fn(&Asked) -> Vec<Deed>;

/// A way to credentials that a service gives, and its variables.
type Way = (&'static str, Vec<(&'static str, String)>);

fn ways(folder: &Folder) -> [Way; 3] {
    folder.write("token", b"the-identity");
    let file = folder.0.join("token").to_str().unwrap().to_owned();
    [
        ("the role of a machine", vec![("AWS_METADATA_ENDPOINT", "SERVER".to_owned())]),
        (
            "the role of a pod",
            vec![
                ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "SERVER/container".to_owned()),
                ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.clone()),
            ],
        ),
        (
            "a web identity",
            vec![
                ("AWS_WEB_IDENTITY_TOKEN_FILE", file),
                ("AWS_ROLE_ARN", "arn:aws:iam::1:role/x".to_owned()),
                ("AWS_ENDPOINT_URL_STS", "SERVER/sts".to_owned()),
            ],
        ),
    ]
}

#[test]
fn credentials_that_expire_within_a_minute_are_renewed_and_reads_go_on() {
    let folder = Folder::new("renewed-credentials");
    on_tokio(async {
        for (way, variables) in ways(&folder) {
            let world = World::start(60, usize::MAX).await;
            let bucket = world.connect(&variables);
            let opening = bucket.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
            for _ in 0..3 {
                // A source that was asked a moment ago is not asked again.
                tokio::time::sleep(Duration::from_millis(150)).await;
                let read = opening.source.read(100..200).await;
                assert_eq!(
                    read.unwrap_or_else(|error| panic!("{way}: {error}")),
                    content(100..200)
                );
            }
            assert!(world.count.load(Ordering::SeqCst) >= 3, "{way}");
        }
    });
}

#[test]
fn credentials_that_live_longer_are_kept() {
    let folder = Folder::new("kept-credentials");
    on_tokio(async {
        for (way, variables) in ways(&folder) {
            let world = World::start(3600, usize::MAX).await;
            let bucket = world.connect(&variables);
            let opening = bucket.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
            for _ in 0..3 {
                assert!(opening.source.read(100..200).await.is_ok(), "{way}");
            }
            assert_eq!(world.count.load(Ordering::SeqCst), 1, "{way}");
        }
    });
}

#[test]
fn a_service_that_fails_ends_no_read_before_the_credentials_do() {
    let folder = Folder::new("standing-in-credentials");
    on_tokio(async {
        for (way, variables) in ways(&folder) {
            let world = World::start(60, 1).await;
            let bucket = world.connect(&variables);
            let opening = bucket.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(150)).await;
                let read = opening.source.read(100..200).await;
                assert_eq!(
                    read.unwrap_or_else(|error| panic!("{way}: {error}")),
                    content(100..200)
                );
            }
            assert!(world.server.asked().len() > 4, "{way}: it was asked");
        }
    });
}

#[test]
fn a_service_that_gives_none_says_nothing_about_an_object() {
    let folder = Folder::new("no-credentials");
    let answers: [(Answer, &str); 4] = [
        (|_| whole("404 Not Found", "", ""), "their service has none (status 404)"),
        (|asked| coded(asked, "403 Forbidden", "AccessDenied"), "their service refuses access"),
        (|_| vec![Deed::Reset], "the connection to their service broke"),
        (|_| whole("200 OK", "", "{}"), "check the file with the token"),
    ];
    on_tokio(async {
        for (answer, words) in answers {
            let server = Server::start(move |_, asked| match asked.target.as_str() {
                "/container" => answer(asked),
                _ => honest(asked),
            })
            .await;
            let world = World { server, count: Arc::default() };
            let [_, (_, variables), _] = ways(&folder);
            let error = world.connect(&variables).open(&name("a.ismv")).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::Other, "{error}");
            assert!(error.to_string().contains("the credentials cannot be fetched"), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    });
}

#[test]
fn keys_in_a_file_are_read_again_when_they_have_changed() {
    let folder = Folder::new("keys-in-a-file");
    let profile = |number| {
        let text = format!(
            "[default]\naws_access_key_id = other\naws_secret_access_key = other\n[films]\naws_access_key_id = key-{number}\naws_secret_access_key = the-secret\naws_session_token = token\n"
        );
        folder.write("credentials", text.as_bytes());
    };
    on_tokio(async {
        profile(1);
        let world = World::start(0, usize::MAX).await;
        world.count.store(1, Ordering::SeqCst);
        let path = folder.0.join("credentials").to_str().unwrap().to_owned();
        let variables =
            [("AWS_SHARED_CREDENTIALS_FILE", path.clone()), ("AWS_PROFILE", "films".to_owned())];
        let bucket = world.connect(&variables);
        let opening = bucket.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
        // The store takes another key from now on.
        world.count.store(2, Ordering::SeqCst);
        let error = opening.source.read(100..200).await.unwrap_err();
        assert!(error.to_string().contains("have expired: renew them"), "{error}");
        // A file that is just being written says nothing; the next second it does.
        fs::write(&path, "[films]\naws_access").unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!(opening.source.read(100..200).await.is_err());
        profile(2);
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(opening.source.read(100..200).await.unwrap(), content(100..200));
    });
}

#[test]
fn signatures_and_passwords_in_files_are_read_again_when_they_have_changed() {
    let folder = Folder::new("secrets-in-files");
    on_tokio(async {
        for (scheme, variable, values, sent) in [
            (
                "az://vod",
                "AZURE_STORAGE_SAS_TOKEN_FILE",
                ["?sv=1&sig=first%3D\n", "sv=1&sig=new%2B"],
                ["sig=first%3D", "sig=new%2B"],
            ),
            (
                "http",
                "HTTP_STORE_AUTHORIZATION_FILE",
                ["Bearer first\n", "Bearer new"],
                ["authorization: Bearer first\r\n", "authorization: Bearer new\r\n"],
            ),
        ] {
            let server = Server::start(|_, asked| honest(asked)).await;
            let location =
                if scheme == "http" { server.address.clone() } else { scheme.to_owned() };
            let write = |value: &str| folder.write("secret", value.as_bytes());
            let path = folder.0.join("secret").to_str().unwrap().to_owned();
            write(values[0]);
            let bucket = Bucket::connect(&Location::parse(&location).unwrap(), |name| match name {
                "AZURE_STORAGE_ACCOUNT_NAME" => Some("account".to_owned()),
                "AZURE_STORAGE_ENDPOINT" => Some(server.address.clone()),
                name => (name == variable).then(|| path.clone()),
            })
            .unwrap();
            let opening = bucket.open_with(&name("a.ismv"), Ends::new(10, 0)).await.unwrap();
            write(values[1]);
            tokio::time::sleep(Duration::from_millis(1100)).await;
            assert_eq!(opening.source.read(100..200).await.unwrap(), content(100..200));
            let heads: Vec<_> = server.asked().into_iter().map(|asked| asked.head).collect();
            assert!(heads[0].contains(sent[0]), "{heads:?}");
            assert!(heads[1].contains(sent[1]), "{heads:?}");
        }
    });
}

#[test]
fn half_a_set_up_is_refused_at_the_start() {
    let refused = |set: &[(&str, &str)]| {
        let location = Location::parse("s3://vod").unwrap();
        let variable = |name: &str| {
            let value =
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            value.or((name == "AWS_REGION").then(|| "eu-west-1".to_owned()))
        };
        Bucket::connect(&location, variable).unwrap_err().to_string()
    };
    let alone = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let error = refused(&[(alone, "http://127.0.0.1/x")]);
    assert!(error.contains("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is not"), "{error}");
    let error = refused(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/secret")]);
    assert!(error.contains("AWS_ROLE_ARN is not"), "{error}");
    let file = "AWS_SHARED_CREDENTIALS_FILE";
    let error = refused(&[(file, "/does/not/exist")]);
    assert!(error.contains("cannot be read") && error.contains(file), "{error}");
    let folder = Folder::new("half-a-set-up");
    folder.write("keys", b"[other]\naws_access_key_id=the-key\n");
    let error = refused(&[(file, folder.0.join("keys").to_str().unwrap())]);
    assert!(
        error.contains("does not have what it should") && !error.contains("the-key"),
        "{error}"
    );
}
