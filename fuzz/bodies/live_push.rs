//! Pushed bodies: any bytes, behind two that say how they are cut into pieces; and the documents that only
//! live presentations have.

use bytes::Bytes;
use smooth_origin::Limits;
use smooth_origin::base::{Error, ErrorGroup, ErrorKind};
use smooth_origin::bmff::uuid::{Tfrf, TfrfEntry, Tfxd};
use smooth_origin::bmff::{AnyBox, Boxes, Tfhd, Tkhd, Trun};
use smooth_origin::live::LiveLimits;
use smooth_origin::live::intake::{Arrived, BodyEnd, Header, Intake, Unit};
use smooth_origin::manifest::{PublishingPointFile, StreamManifest};

/// Bytes in front of the body.
const PARAMETERS: usize = 2;

/// Bytes that samples without stored bytes may take in a fragment.
const EXPANDED: usize = 16_384 * 16;

/// Pushes a body whole and in pieces, and looks at what it was.
pub fn live_push(data: &[u8]) {
    documents(data);
    let Some((parameters, body)) = data.split_at_checked(PARAMETERS) else { return };
    let limits = LiveLimits::default().header(1 << 16).moof(1 << 16).fragment(1 << 18).tracks(8);
    let whole = push(body, &limits, || usize::MAX);
    let mut state = u32::from(parameters[1]);
    let step = usize::from(parameters[0]).max(1);
    let pieces = push(body, &limits, || {
        // Pieces of one byte to `step` bytes.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        1 + (state >> 16) as usize % step
    });
    assert!(whole.0 == pieces.0, "other units in pieces: {:?} {:?}", whole.0, pieces.0);
    assert_eq!(format!("{:?}", whole.2), format!("{:?}", pieces.2));

    super::publishing::publish(body, step, &limits);

    let (_, units, end) = whole;
    if let Err(error) = &end {
        let is_other = matches!(error.kind, ErrorKind::NoHeader);
        assert!(is_other || error.kind.group() == ErrorGroup::Content, "{error}");
    }
    if let Ok(BodyEnd::Cut { bytes }) = end {
        assert!((1..=body.len() as u64).contains(&bytes));
    }
    let mut tracks = Vec::new();
    let mut fragments = 0;
    for unit in &units {
        match unit {
            Unit::Header(header) => {
                tracks = header.tracks.iter().map(|track| track.track_id).collect();
                of_header(header, body);
            }
            Unit::Fragment(arrived) => {
                assert!(tracks.contains(&arrived.track_id), "a track without a header");
                fragments += arrived.bytes.len() - arrived.moof as usize;
                of_fragment(arrived, body, &limits);
            }
            _ => {}
        }
    }
    assert!(fragments <= body.len() + 8 * units.len(), "samples are told twice");
}

/// The units, as text and as they are, and the end.
type Pushed = (Vec<String>, Vec<Unit>, Result<BodyEnd, Error>);

fn push(body: &[u8], limits: &LiveLimits, mut len: impl FnMut() -> usize) -> Pushed {
    let (mut intake, mut units, mut left) = (Intake::new(limits), Vec::new(), body);
    while !left.is_empty() {
        let (piece, rest) = left.split_at(len().min(left.len()));
        left = rest;
        if let Err(error) = intake.push(&Bytes::copy_from_slice(piece), &mut units) {
            return (text(&units), units, Err(error));
        }
    }
    let end = intake.end(&mut units);
    (text(&units), units, Ok(end))
}

fn text(units: &[Unit]) -> Vec<String> {
    units.iter().map(|unit| format!("{unit:?}")).collect()
}

fn of_header(header: &Header, body: &[u8]) {
    assert!(!header.tracks.is_empty());
    for track in &header.tracks {
        assert!(track.head.len() <= body.len() + 200, "a head that is longer than its source");
        let head = Boxes::parse(&track.head, 0, &Limits::default()).expect("a head parses");
        let moov = head.inside(*b"moov").expect("a head has a moov");
        let trak = moov.inside(*b"trak").expect("a moov has a track");
        assert_eq!(trak.get::<Tkhd>().map(|tkhd| tkhd.track_id), Some(track.track_id));
        assert_eq!(moov.each(*b"trak").count(), 1);
        let server = &track.server;
        assert_eq!((server.track_id(), server.src()), (Some(track.track_id), None));
        assert!(server.bitrate().is_some() && !server.name().is_empty());
    }
}

fn of_fragment(arrived: &Arrived, body: &[u8], limits: &LiveLimits) {
    let own = samples(arrived);
    assert!(arrived.bytes.len() <= 5 * body.len() + EXPANDED + 256, "a fragment that is too long");
    let traf = traf(arrived);
    let tfxd = traf.get::<Tfxd>().expect("it has a time");
    assert!(tfxd.full.version > 0);
    assert_eq!((tfxd.time as i64, tfxd.duration), (arrived.time, arrived.duration));
    let tfhd = traf.get::<Tfhd>().expect("it has a track");
    assert_eq!((tfhd.track_id, tfhd.base_data_offset), (arrived.track_id, None));

    let next = [TfrfEntry { time: 1 << 33, duration: 7 }, TfrfEntry::default()];
    let Ok(new) = arrived.announcing(&next, limits) else { return };
    assert_eq!(samples(&new), own, "announcing changes no sample");
    let entries = self::traf(&new).get::<Tfrf>().expect("it announces").entries.clone();
    assert_eq!(entries, next);
    let again = new.announcing(&next, limits).expect("it announces again");
    assert_eq!(again, new);
    let without = new.announcing(&[], limits).expect("it announces nothing");
    assert!(self::traf(&without).get::<Tfrf>().is_none());
    assert_eq!(samples(&without), own);
    let moved = new.moved(5, 6, limits).expect("it is moved");
    // A decode time would be that of the old start.
    let is_left_out = |item: &&AnyBox| item.header.kind.0 == *b"tfdt";
    let left_out = self::traf(&new).list.iter().filter(is_left_out).map(AnyBox::len).sum::<u64>();
    assert_eq!(samples(&moved), own);
    assert_eq!(moved.bytes.len() as u64 + left_out, new.bytes.len() as u64);
}

fn traf(arrived: &Arrived) -> Boxes {
    let boxes = Boxes::parse(&arrived.bytes, 0, &Limits::default()).expect("a fragment parses");
    let [moof, mdat] = &boxes.list[..] else { panic!("one moof and its mdat") };
    assert_eq!((moof.header.kind.0, mdat.header.kind.0), (*b"moof", *b"mdat"));
    assert_eq!(moof.len(), arrived.moof);
    let moof = boxes.inside(*b"moof").expect("it is first");
    assert_eq!(moof.each(*b"traf").count(), 1);
    moof.inside(*b"traf").expect("one traf").clone()
}

/// The `mdat`, and the offsets of the runs in it.
fn samples(arrived: &Arrived) -> (Bytes, Vec<i64>) {
    let traf = traf(arrived);
    let offsets = traf
        .all::<Trun>()
        .map(|trun| trun.data_offset.map_or(-1, |offset| i64::from(offset) - arrived.moof as i64));
    (arrived.bytes.slice(arrived.moof as usize..), offsets.collect())
}

/// Reads any bytes as the documents of a publishing point.
fn documents(data: &[u8]) {
    let limits = Limits::default();
    if let Ok(file) = PublishingPointFile::parse(data, &limits) {
        let text = file.to_xml().expect("what was read can be written");
        let again = PublishingPointFile::parse(text.as_bytes(), &limits).expect("and read again");
        assert_eq!(again, file);
        let unread: Vec<_> = file.unread().collect();
        assert_eq!(file.look_ahead().is_some() || file.meta("lookaheadChunks").is_none(), {
            let is_first = |name: &str| name.eq_ignore_ascii_case("lookaheadChunks");
            let first = file.metas.iter().find(|(name, _)| is_first(name));
            first.is_none_or(|(_, content)| content.trim().parse::<u32>().is_ok())
        });
        assert!(unread.len() <= file.metas.len());
        let _ = (file.source_type(), file.window(), file.publishes("Streams"), file.archive_path());
        let _ = (file.estimated_time(), file.archive_segment_length());
        let _ = (file.starts_on_first_request(), file.restarts_on_encoder_reconnect());
    }
    if let Ok(manifest) = StreamManifest::parse(data, &limits) {
        let text = manifest.to_xml().expect("what was read can be written");
        let again = StreamManifest::parse(text.as_bytes(), &limits).expect("and read again");
        assert_eq!(again, manifest);
    }
}
