//! SIGHUP: what changes without a restart, and what does not.

use std::fs;

use crate::observed::{Empty, Observed, TESTDATA, wait_for};

const MANIFEST: &str = "GET /bframes/bframes.ism/Manifest";

struct Configured {
    server: Observed,
    folder: Empty,
}

impl Configured {
    fn start(name: &str, lines: &str) -> Self {
        let folder = Empty::new(name);
        fs::write(folder.path("serve.toml"), lines).unwrap();
        let file = folder.path("serve.toml");
        Self { server: Observed::start(TESTDATA, &["--config", &file]), folder }
    }

    fn reload(&self, lines: &str) {
        fs::write(self.folder.path("serve.toml"), lines).unwrap();
        self.server.signal("HUP");
    }

    fn wait_for_line(&self, line: &str) {
        wait_for(line, || self.server.errors().contains(line).then_some(()));
    }
}

#[test]
fn options_of_the_service_change_at_once() {
    let it = Configured::start("reload", "");
    assert!(it.server.ask(MANIFEST, &[]).head.contains("application/vnd.ms-sstr+xml"));
    assert_eq!(it.server.ask("GET /bframes/bframes.ism/manifest.mpd", &[]).status, 200);
    it.reload("text-xml = true\nwithout = [\"dash\"]\n");
    wait_for("text/xml", || {
        it.server.ask(MANIFEST, &[]).head.contains("content-type: text/xml").then_some(())
    });
    assert_ne!(it.server.ask("GET /bframes/bframes.ism/manifest.mpd", &[]).status, 200);
}

#[test]
fn options_of_the_origin_and_the_log_change_at_once() {
    let it = Configured::start("reload-origin", "log-level = \"error\"\n");
    let tag = |server: &Observed| {
        let head = server.ask(MANIFEST, &[]).head;
        head.lines().find(|line| line.starts_with("etag:")).unwrap().to_owned()
    };
    let old = tag(&it.server);
    it.reload("epoch = \"second\"\nlog-level = \"info\"\n");
    wait_for("another ETag", || (tag(&it.server) != old).then_some(()));
    it.wait_for_line("SIGHUP: changed: epoch, log-level");
}

#[test]
fn options_that_need_a_restart_are_named_and_a_wrong_file_changes_nothing() {
    let it = Configured::start("reload-wrong", "workers = 1\n");
    it.reload("workers = 2\ntext-xml = true\n");
    it.wait_for_line("SIGHUP: `workers` changes with the next start");
    // A key that has its old value again changes nothing at the next start.
    it.reload("workers = 1\ntext-xml = true\n");
    it.wait_for_line("SIGHUP: changed: workers\n");
    it.reload("worker = 2\n");
    it.wait_for_line("serve.toml:1:1: there is no key `worker`; the nearest is `workers`");
    it.wait_for_line("SIGHUP: the old configuration stays, because the new one is wrong: ");
    assert_eq!(it.server.errors().matches("changes with the next start").count(), 1);
    assert!(it.server.ask(MANIFEST, &[]).head.contains("content-type: text/xml"));
    it.reload("purge-token-file = \"/no-such-file\"\n");
    it.wait_for_line("cannot read the tokens in /no-such-file");
    assert!(it.server.ask(MANIFEST, &[]).head.contains("content-type: text/xml"));
}

#[test]
fn the_pages_list_follows_the_prefixes_of_the_folders() {
    let folder = Empty::new("reload-prefix");
    let file = folder.path("serve.toml");
    let configure = |prefix: &str| {
        fs::write(&file, format!("folders = {{ {prefix} = {TESTDATA:?} }}\n")).unwrap();
    };
    configure("films");
    let server = Observed::start_configured(&["--config", &file]);
    let lists = |name: &str| {
        let got = server.ask("GET /-/api/presentations?search=bframes", &[]);
        got.body.contains(&format!("{name}/bframes/bframes.ism")).then_some(())
    };
    wait_for("films", || lists("films"));
    configure("movies");
    server.signal("HUP");
    wait_for("movies", || lists("movies"));
}
