//! Many presentations on a disk, cheaply: their media are hard links to a few films.

use std::fs::{create_dir_all, hard_link, write};
use std::path::Path;

use smooth_origin_benches::film::Media;
use smooth_origin_benches::{Stored, files, path, write_whole};

/// Lengths in seconds, by the last digit of a presentation's number.
const LENGTHS: [u32; 10] = [60, 60, 60, 60, 600, 600, 600, 600, 7200, 7200];

/// Presentations in one folder of folders.
const A_SHELF: usize = 1000;

/// Presentations that share their media: file systems allow few links to a file (ext4: 65,000).
const A_COPY: usize = 20_000;

/// Bytes of a fragment of video: what is long is not read when a presentation is opened.
const PAYLOAD: u32 = 300;

/// Writes presentations number 0 to `count`, each in a folder of its own.
pub fn write_presentations(root: &Path, count: usize) {
    let mut lengths = LENGTHS.to_vec();
    lengths.dedup();
    let films: Vec<_> = lengths.into_iter().map(|s| (s, files(s, PAYLOAD, Stored::Full))).collect();
    for number in 0..count {
        let (seconds, film) = films.iter().find(|(s, _)| *s == seconds(number)).unwrap();
        let media = root.join(format!("media/{}/{seconds}", number / A_COPY));
        if !media.exists() {
            write_whole(film, &media);
        }
        write_presentation(film, &media, &root.join(folder(number)));
        if number % 10_000 == 9_999 {
            println!("{} presentations are written", number + 1);
        }
    }
}

fn write_presentation(film: &[(String, Media)], media: &Path, folder: &Path) {
    create_dir_all(folder).unwrap();
    for (name, content) in film {
        match name.ends_with(".ism") {
            true => write(folder.join(name), content.to_bytes()).unwrap(),
            false => hard_link(media.join(name), folder.join(name)).unwrap(),
        }
    }
}

fn folder(number: usize) -> String {
    format!("shelf{}/title{number}", number / A_SHELF)
}

fn seconds(number: usize) -> u32 {
    LENGTHS[number % LENGTHS.len()]
}

/// Path of a manifest.
pub fn manifest(number: usize) -> String {
    format!("/{}/film.ism/Manifest", folder(number))
}

/// Path of a fragment of video; which one is by a number without order.
pub fn fragment(number: usize, random: u64) -> String {
    let chunk = random % u64::from(seconds(number) / 2);
    let bitrate = [400_000, 1_200_000, 3_500_000][(random >> 32) as usize % 3];
    format!("/{}/film.ism/{}", folder(number), path("video", bitrate, chunk * 20_000_000))
}
