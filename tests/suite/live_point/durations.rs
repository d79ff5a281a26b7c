//! Fragments whose durations are wrong.

use smooth_origin::live::PointOptions;

use super::encoder::{END, Spec, Style, header, video};
use super::starts;
use super::watch::Watch;

/// 2 s at 48 kHz.
const LONG: u32 = 96_000;

#[test]
fn a_fragment_of_an_absurd_duration_is_dropped_and_holds_up_nothing() {
    let specs = [Spec { timescale: 48_000, ..video(1, 500_000) }];
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..20_i64 {
        watch.pass(2000);
        let long = if number == 8 { u32::MAX - 1 } else { LONG };
        watch.push(id, &specs[0].fragment(number * i64::from(LONG), long, 0)).unwrap();
        watch.tick();
    }
    watch.push(id, END).unwrap();
    assert_eq!((watch.count("gap"), watch.count("misaligned")), (1, 0), "{:#?}", watch.notices);
    let told = watch.notices.iter().filter(|notice| notice.contains("10 minutes ahead"));
    assert_eq!(told.count(), 1, "{:#?}", watch.notices);
    let times: Vec<u64> = watch.chunks("video").iter().map(|(time, _)| time / 48).collect();
    assert_eq!(times, starts((0..8).chain(9..20)));
}

#[test]
fn a_first_fragment_of_an_absurd_duration_keeps_off_none_of_those_behind_it() {
    let specs = [Spec { timescale: 48_000, ..video(1, 500_000) }];
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..20_i64 {
        watch.pass(2000);
        // Two samples of a minute and a half each.
        let long = if number == 0 { 90 * LONG } else { LONG };
        watch.push(id, &specs[0].fragment(number * i64::from(LONG), long, 0)).unwrap();
        watch.tick();
    }
    watch.push(id, END).unwrap();
    assert_eq!((watch.count("gap"), watch.count("misaligned")), (0, 0), "{:#?}", watch.notices);
    let told = watch.notices.iter().filter(|notice| notice.contains("longer than a minute"));
    assert_eq!(told.count(), 1, "{:#?}", watch.notices);
    let times: Vec<u64> = watch.chunks("video").iter().map(|(time, _)| time / 48).collect();
    assert_eq!(times, starts(1..20));
}

#[test]
fn a_sample_of_a_negative_duration_makes_its_fragment_a_broken_one() {
    let specs = [video(1, 500_000)];
    let untimed = Style { tfxd: false, ..Style::default() };
    let mut watch = Watch::new(PointOptions::default());
    let id = watch.begin("v", "a");
    watch.push(id, &header(&specs)).unwrap();
    for number in 0..12 {
        watch.pass(2000);
        let second = if number == 5 { (-1_i32).cast_unsigned() } else { 10_000_000 };
        let fragment = specs[0].fragment_of(0, [10_000_000, second], number, untimed);
        watch.push(id, &fragment).unwrap();
        watch.tick();
    }
    watch.push(id, END).unwrap();
    assert_eq!(watch.count("refused"), 1, "{:#?}", watch.notices);
    assert_eq!(watch.times("video"), starts(0..11));
}
