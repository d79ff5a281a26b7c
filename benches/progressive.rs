//! Progressive films of three hours: opening them beside reading their `moov` and passing over it once,
//! the memory of a sample, and the first request in a group of chunks beside the next one.

use std::fs::File;
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use smooth_origin::base::{Got, Limits, Step, Want};
use smooth_origin::bmff::Boxes;
use smooth_origin::index::chunk_plan::{ChunkPlan, PlanTrack, Wanted};
use smooth_origin::index::sample_table::{Movie, Outline, Prepared};
use smooth_origin::output::mss::{Request, answer};
use smooth_origin::presentation::Presentation;
use smooth_origin_benches::long_film::Progressive;
use smooth_origin_benches::path;

use super::{ROUNDS, compare, human, now};

const HOURS: u32 = 3;

/// From the file to the chunks of each track; `then` makes of them what is kept.
fn planned(film: &Progressive, then: impl Fn(&smooth_origin::index::sample_table::Track, &[u32])) {
    let limits = Limits::default();
    let boxes = Boxes::parse(&film.read(), film.moov.start, &limits).unwrap();
    let movie = Movie::read(&boxes, film.moov.start, film.moov.end, &limits).unwrap();
    let mut guide = Vec::new();
    for track in movie.tracks {
        let track = track.unwrap();
        let points = track.tables.points().unwrap();
        let (track_id, clock) = (track.track_id, track.clock);
        let planned = PlanTrack { file: "film.mp4", track_id, clock, points: &points };
        let plan = ChunkPlan::new(&[planned], &guide, Wanted::SMOOTH).unwrap();
        then(&track, &plan.tracks[0]);
        if guide.is_empty() {
            guide = plan.times;
        }
    }
}

/// A description of a film, and the function that makes it.
type Film = (&'static str, Box<dyn Fn() -> Progressive>);

fn films() -> Vec<Film> {
    let of = |what, rate, together, sound| {
        let film = move || Progressive::new(HOURS, rate, together, sound);
        (what, Box::new(film) as Box<dyn Fn() -> Progressive>)
    };
    let (rate, faster) = ((12_800, 512), (15_360, 256));
    vec![
        of("25 fps alone", rate, usize::MAX, None),
        of("25 fps and AAC, 0.5 s together", rate, 12, Some(23)),
        of("25 fps and AAC, each frame", rate, 1, Some(2)),
        of("60 fps and AAC, 0.5 s together", faster, 30, Some(23)),
    ]
}

/// Opening, in two parts: the tables alone, and all of a presentation.
pub fn open() {
    let bound = "reading the moov and passing over its words once";
    for (what, film) in films() {
        let film = film();
        let len = (film.moov.end - film.moov.start) as f64 / 1e6;
        println!("{what} of {HOURS} h, moov of {len:.1} MB, {} samples", film.samples);
        let limit = || {
            black_box(film.pass());
        };
        let outline = || {
            planned(&film, |track, cuts| {
                black_box(Outline::new(&track.tables, cuts, |_| Ok(())).unwrap());
            });
        };
        compare(
            "tables read, compared, planned and outlined",
            "bar: 1.2 ×",
            1,
            outline,
            bound,
            limit,
        );
        let prepare = || {
            planned(&film, |track, cuts| {
                black_box(Prepared::new(&track.tables, cuts).unwrap());
            });
        };
        compare("the same, and all samples prepared", "for comparison", 1, prepare, bound, limit);
        let open = || {
            black_box(film.open());
        };
        compare("the whole presentation opened", "bar: 1.2 ×", 1, open, bound, limit);
        let memory = film.open().memory() as f64 / film.samples as f64;
        println!("  {memory:.2} bytes a sample with timeline and manifest");
    }
}

/// Reads what a step wants, and returns the length of the answer.
fn asked(presentation: &Arc<Presentation>, file: &File, path: &str) -> u64 {
    let step = answer(presentation, &Request::parse(path, None).unwrap()).unwrap();
    let reply = step.drive(|want| match want {
        Want::Range { range, .. } => {
            let mut bytes = vec![0; (range.end - range.start) as usize];
            file.read_exact_at(&mut bytes, range.start).unwrap();
            Ok(Got::Range(bytes.into()))
        }
        _ => unreachable!("an answer reads ranges alone"),
    });
    reply.unwrap().length()
}

/// The first request in each group of 64 chunks beside the next one.
pub fn ask() {
    const GROUP: usize = 64;
    for (what, film) in films() {
        let film = film();
        let file = File::open(film.folder.join("film.mp4")).unwrap();
        println!("{what}: answers without their bodies");
        let streams = film.open().streams().len();
        for stream in 0..streams {
            let (mut firsts, mut nexts, mut wants) = (Vec::new(), Vec::new(), (0, 0));
            for _ in 0..ROUNDS {
                let presentation = film.open();
                let stream = &presentation.streams()[stream];
                let bitrate = stream.tracks()[0].bitrate();
                let starts: Vec<u64> = stream.timeline().iter().map(|(start, _)| start).collect();
                for group in starts.chunks(GROUP).filter(|group| group.len() == GROUP) {
                    let paths = [0, 1].map(|at| path(stream.name(), bitrate, group[at]));
                    let request = Request::parse(&paths[0], None).unwrap();
                    if let Step::Read(reads) = answer(&presentation, &request).unwrap() {
                        let len = |want: &Want| match want {
                            Want::Range { range, .. } => range.end - range.start,
                            _ => 0,
                        };
                        let bytes = reads.wanted().iter().map(len).sum::<u64>();
                        wants = (reads.wanted().len(), bytes);
                    }
                    let times = paths.map(|path| {
                        let start = now();
                        black_box(asked(&presentation, &file, &path));
                        (now() - start).as_nanos() as f64
                    });
                    firsts.push(times[0]);
                    nexts.push(times[1]);
                }
            }
            let median = |values: &mut Vec<f64>| {
                values.sort_by(f64::total_cmp);
                human(values[values.len() / 2])
            };
            println!(
                "  stream {stream}: first of a group {} ({} reads of {} bytes), the next {}",
                median(&mut firsts),
                wants.0,
                wants.1,
                median(&mut nexts)
            );
        }
    }
}
