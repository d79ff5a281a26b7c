//! Messages of SCTE 35 and ID3 are in manifests of DASH and HLS wherever an event is shown: by the process that takes
//! the pushes, by one that goes on with the event, by one that follows it, and as a film.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smooth_origin::live::PointOptions;
use smooth_origin::origin::{LiveOptions, LivePoints, Origin, block_on};
use smooth_origin::service::ServiceOptions;
use smooth_origin::storage::MemoryArchive;
use testkit::name;

use crate::live_outputs::{OUT, Server, event, sample};
use crate::live_point::encoder::{END, Spec, audio, header, text, video};

const SECOND: i64 = 10_000_000;

/// A tag with one frame.
const TAG: &[u8] = b"ID3\x04\0\0\0\0\0\x10TIT2\0\0\0\x06\0\0\x03hello";

fn options() -> PointOptions {
    PointOptions::default().look_ahead(1).window(None)
}

/// A process that takes pushes, and goes on with what the archive has.
fn process(archive: &MemoryArchive) -> (LivePoints, Server) {
    let live = LiveOptions::default().archive(archive.clone());
    let points = LivePoints::new(live.on_first_push(|_| Some(options())));
    block_on(points.recover(name("x.isml"), options())).unwrap();
    (points.clone(), Server::of(points, ServiceOptions::default()))
}

fn follower(archive: &MemoryArchive) -> Server {
    let live = LiveOptions::default().archive(archive.clone()).follow(|_| Some(options()));
    Server::of(LivePoints::new(live), ServiceOptions::default())
}

fn push(server: &Server, spec: &Spec, fragments: &[Vec<u8>]) {
    let head = header(std::slice::from_ref(spec)).to_vec();
    server.push(spec.name, [head, fragments.concat()].concat());
}

fn commands(name: &'static str) -> Spec {
    Spec { name, bitrate: 0, ..text(3) }
}

/// The events of the MPD.
fn events(mpd: &str) -> Vec<String> {
    let streams = mpd.split("<EventStream").skip(1);
    streams.map(|of| of.split_once("</EventStream>").unwrap().0.to_owned()).collect()
}

/// The dates of a playlist, without the wall time.
fn dates(playlist: &str) -> Vec<String> {
    let lines = playlist.lines().filter(|line| line.starts_with("#EXT-X-DATERANGE"));
    let without_date = |line: &str| {
        let parts = line.split(',').filter(|part| !part.contains("-DATE="));
        parts.collect::<Vec<_>>().join(",")
    };
    lines.map(without_date).collect()
}

#[test]
fn messages_are_where_the_event_goes_on_where_it_is_followed_and_in_its_film() {
    let out = STANDARD.decode(OUT).unwrap();
    let archive = MemoryArchive::new();
    let (_, first) = process(&archive);
    let scte = commands("scte35");
    push(
        &first,
        &scte,
        &[
            event(4 * SECOND, &sample(7, 20_000_000, &out)),
            event(6 * SECOND, &sample(8, 20_000_000, &out)),
        ],
    );
    let id3 = commands("id3");
    push(&first, &id3, &[event(4 * SECOND, &sample(1, 0, TAG))]);
    first.push_media(0..6);
    let (mpd, playlist) = (first.text("manifest.mpd"), first.text("video-3000000.m3u8"));
    let (all, all_dates) = (events(&mpd), dates(&playlist));
    assert_eq!(all.len(), 2, "{mpd}");
    assert_eq!((all[0].matches("<Event ").count(), all_dates.len()), (2, 2), "{mpd}");
    let tag = format!(
        "<Event presentationTime=\"40000000\" id=\"1\" contentEncoding=\"base64\">{}</Event>",
        STANDARD.encode(TAG)
    );
    assert!(all[1].contains("schemeIdUri=\"https://aomedia.org/emsg/ID3\""), "{mpd}");
    assert!(all[1].contains(&tag), "{mpd}");
    assert!(!playlist.contains(&STANDARD.encode(TAG)));
    drop(first);

    let followed = follower(&archive);
    assert_eq!(events(&followed.text("manifest.mpd")), all);
    let (points, second) = process(&archive);
    for server in [&followed, &second] {
        assert_eq!(events(&server.text("manifest.mpd")), all);
        assert_eq!(dates(&server.text("video-3000000.m3u8")), all_dates);
    }

    // The next ones are behind those; one is sent again.
    push(
        &second,
        &scte,
        &[
            event(6 * SECOND, &sample(8, 20_000_000, &out)),
            event(10 * SECOND, &sample(9, 20_000_000, &out)),
        ],
    );
    second.push_media(6..8);
    let all = events(&second.text("manifest.mpd"));
    assert_eq!(all[0].matches("<Event ").count(), 3);
    second.push("media", [&header(&[video(1, 3_000_000), audio(2, 64_000)])[..], END].concat());
    points.get(&name("x.isml")).unwrap().stop();
    let dates_at_the_end = dates(&second.text("video-3000000.m3u8"));
    assert_eq!(dates_at_the_end.len(), 3);
    let (_, third) = process(&archive);
    let follower = follower(&archive);
    for server in [&second, &third, &follower] {
        let mpd = server.text("manifest.mpd");
        assert!(mpd.contains("type=\"static\""));
        assert_eq!(events(&mpd), all, "{mpd}");
        assert_eq!(dates(&server.text("video-3000000.m3u8")), dates_at_the_end);
    }
    let film = Origin::new(archive.store().clone());
    let get = |path: &str| {
        String::from_utf8(testkit::get(&film, &format!("/x.ism/{path}")).unwrap().to_vec()).unwrap()
    };
    assert_eq!(events(&get("manifest.mpd")), all);
    assert_eq!(dates(&get("video-3000000.m3u8")), dates_at_the_end);
    let of = |query: &str| get(&format!("manifest.mpd?{query}")).matches("<Event ").count();
    assert_eq!((of("start=8&end=12"), of("start=0&end=7")), (1, 2));
}

#[test]
fn playlists_go_on_after_a_restart_where_they_were() {
    let window = std::time::Duration::from_secs(8);
    let options = move || PointOptions::default().look_ahead(0).window(Some(window));
    let archive = MemoryArchive::new();
    let begin = || {
        let live = LiveOptions::default().archive(archive.clone());
        let points = LivePoints::new(live.on_first_push(move |_| Some(options())));
        block_on(points.recover(name("x.isml"), options())).unwrap();
        Server::of(points, ServiceOptions::default())
    };
    let of = |server: &Server, tag: &str| -> String {
        let playlist = server.text("video-3000000.m3u8");
        playlist.lines().find_map(|line| line.strip_prefix(tag)).unwrap().to_owned()
    };
    let first = begin();
    // A chunk of 6 s, which has left the window, then 60 of 2 s.
    let spec = video(1, 3_000_000);
    push(&first, &spec, &[spec.fragment(0, 60_000_000, 0).to_vec()]);
    let chunks: Vec<_> =
        (3..63).map(|number| spec.fragment(2 * number * SECOND, 20_000_000, 0).to_vec()).collect();
    push(&first, &spec, &chunks);
    let tags = ["#EXT-X-MEDIA-SEQUENCE:", "#EXT-X-TARGETDURATION:"];
    let before = tags.map(|tag| of(&first, tag));
    assert_eq!(before, ["57", "6"]);
    drop(first);
    assert_eq!(tags.map(|tag| of(&begin(), tag)), before);
}
