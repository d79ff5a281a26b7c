//! A look at every fragment ends, changes nothing, and finds what requests would find.

use std::sync::Arc;

use smooth_origin::base::Want;
use smooth_origin::output::mss::{FragmentRequest, Noun, Request};
use smooth_origin::presentation::{FindingCode, Presentation, Survey};

use super::opening::{Files, drive, reply};

/// Maximum batches for a survey of a few fragments.
const BATCHES: usize = 12;

/// Number of chunks of a track that are requested.
const ASKED: usize = 16;

/// Surveys a presentation that has not answered any request yet.
pub(super) fn survey(files: &Files, presentation: &Arc<Presentation>) {
    let before = presentation.findings();
    let mut survey = Survey::new(presentation);
    let tracks = || presentation.streams().iter().flat_map(|stream| stream.tracks());
    let fragments: usize = tracks().map(|track| track.fragment_count()).sum();
    match tracks().any(|track| track.folder().is_some()) {
        // Files that are missing are looked for, too.
        true => assert!(survey.fragments() >= fragments as u64),
        false => assert_eq!(survey.fragments(), fragments as u64),
    }
    while !survey.is_over() {
        let looked_at = survey.looked_at();
        let step = survey.look_on();
        survey = drive(step, BATCHES, |want| {
            let is_known = matches!(want, Want::Range { .. } | Want::Fragment { .. });
            assert!(is_known, "a survey opens nothing but fragments in files of their own");
            files.get(want)
        })
        .expect("what is wrong with a fragment is a finding");
        assert!(survey.looked_at() > looked_at, "a survey that does not go on");
    }
    assert_eq!(survey.looked_at(), survey.fragments());
    assert_eq!(presentation.findings(), before, "a survey changes nothing");
    assert!(presentation.distrusted().is_empty());
    let findings = survey.findings();
    let hides = |code| {
        use FindingCode::{FileUnreadable, FindingsLeftOut, FragmentBroken, FragmentFileMissing};
        matches!(code, FragmentBroken | FindingsLeftOut | FragmentFileMissing | FileUnreadable)
    };
    if findings.iter().any(|finding| hides(finding.code)) {
        return;
    }
    // No fragment is broken: those of whole tracks can be asked for.
    for stream in presentation.streams() {
        let alike = |other: &&_| stream.name() == smooth_origin::presentation::Stream::name(other);
        if presentation.streams().iter().filter(alike).count() > 1 {
            continue;
        }
        let timeline = stream.timeline();
        for track in stream.tracks() {
            let same = stream.tracks().iter().filter(|other| other.bitrate() == track.bitrate());
            if track.fragment_count() < timeline.len() || same.count() > 1 {
                continue;
            }
            for (time, _) in timeline.iter().take(ASKED) {
                let fragment = FragmentRequest {
                    noun: Noun::FragmentInfo,
                    bitrate: track.bitrate(),
                    attributes: "".into(),
                    stream: stream.name().into(),
                    time,
                };
                let reply = reply(files, presentation, &Request::Fragment(fragment));
                assert!(reply.is_ok(), "{reply:?} where a survey finds {findings:?}");
            }
        }
    }
}
