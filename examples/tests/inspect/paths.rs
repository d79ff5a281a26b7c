//! Paths that are no presentations: each is named with what it is and what to do.

use std::fs;
use std::path::Path;

use crate::{LADDER, PROGRESSIVE, REFS, TESTDATA, folder, json, refused, text, write};

#[test]
fn a_path_that_is_not_there_is_named() {
    let (message, _) = refused("/no/such/film.ism");
    assert_eq!(message, "there is no such file or folder");
    let (_, advice) = refused("http://127.0.0.1/film.ism/Manifest");
    assert!(advice.contains("URLs"), "{advice}");
}

#[test]
fn an_mp4_file_is_named_with_the_two_ways_to_serve_it() {
    let folder = folder("mp4");
    let name = write(&folder, "film.mp4", PROGRESSIVE);
    let (message, advice) = refused(&name);
    assert!(message.starts_with("this is a progressive MP4 file, not a presentation"), "{message}");
    assert!(message.contains("made on the fly"), "{message}");
    assert!(advice.starts_with("write an .ism that names film.mp4 ("), "{advice}");
    let packaged = name.replace(".mp4", ".ism");
    let command = format!("`package {name} --output {packaged}`");
    assert!(advice.ends_with(&command), "{advice}");

    // Neither the extension nor a `.ism` of the same content hides what it is.
    for name in ["film.ism", "film.bin", "film.MOV"] {
        assert_eq!(refused(&write(&folder, name, PROGRESSIVE)).0, message, "{name}");
    }
    let (_, advice) = refused(&write(&folder, "raw.ismv", PROGRESSIVE));
    assert!(advice.contains("write an .ism that names raw.ismv"), "{advice}");
    let (message, _) = refused(&write(&folder, "text.mp4", "no boxes, only words"));
    assert!(message.contains("does not begin as one"), "{message}");
}

#[test]
fn a_name_in_a_command_is_one_word_for_a_shell() {
    let folder = folder("quotes");
    let (_, advice) = refused(&write(&folder, "one's own $film.mp4", PROGRESSIVE));
    let quoted = r"/one'\''s own $film.mp4' --output ";
    assert!(advice.contains(quoted), "{advice}");
}

#[test]
fn an_ism_that_names_an_mp4_file_is_named_with_it() {
    let folder = folder("named");
    let film = write(&folder, "film.mp4", PROGRESSIVE);
    let server = "<smil><body><video src='film.mp4'/></body></smil>";
    let server = write(&folder, "b.ism", server);
    write(&folder, "a.ism", REFS);
    let (_, advice) = refused(&film);
    assert_eq!(advice, format!("inspect {server}, which names it"));

    let (status, entries) = json(&[&server]);
    assert_eq!((status, &entries[0]["outcome"]), (3, &"not-served".into()));
    let finding = &entries[0]["findings"][0];
    assert_eq!((&finding["code"], &finding["file"]), (&"needs-packaging".into(), &film.into()));
    let command = "ffmpeg -i in.mp4 -c copy -movflags frag_keyframe -f ismv out.ismv";
    assert!(finding["advice"].as_str().unwrap().contains(command), "{finding}");
}

#[test]
fn media_is_named_with_the_ism_that_names_it() {
    for (file, server) in [
        ("dialects/azure/azure_60.mp4", "dialects/azure/azure.ism"),
        ("split/split_audio.isma", "split/split.ism"),
        ("ladder/ladder.ismv", "ladder/ladder.ism"),
    ] {
        let (message, advice) = refused(&format!("{TESTDATA}/{file}"));
        assert!(message.ends_with(", not a presentation"), "{message}");
        assert!(advice.contains(&format!("{TESTDATA}/{server}")), "{advice}");
    }
    let alone = folder("media");
    fs::copy(format!("{TESTDATA}/ladder/ladder.ismv"), alone.join("a.ismv")).unwrap();
    let (_, advice) = refused(alone.join("a.ismv").to_str().unwrap());
    assert!(advice.starts_with("write an .ism that names a.ismv"), "{advice}");
}

#[test]
fn a_client_manifest_is_named_with_its_ism() {
    let (message, advice) = refused(&format!("{TESTDATA}/ladder/ladder.ismc"));
    assert_eq!(message, "this is a client manifest (.ismc), not a presentation");
    assert!(advice.contains(LADDER), "{advice}");

    // Of the two, the one that names it; the other has only its name.
    let (_, advice) = refused(&format!("{TESTDATA}/dialects/utf16/le.ismc"));
    assert!(advice.contains("/dialects/utf16/le.ism,"), "{advice}");

    let (_, advice) = refused(&write(&folder("ismc"), "a.ismc", "<SmoothStreamingMedia/>"));
    assert!(advice.contains("write one"), "{advice}");
}

#[test]
fn a_path_that_is_misspelled_is_named_with_the_nearest() {
    let (message, advice) = refused(&LADDER.replace("ladder.ism", "lader.ism"));
    assert_eq!(message, "there is no such file or folder");
    assert_eq!(advice, format!("did you mean {LADDER}?"));
    let (_, advice) = refused("/no-such-folder/film.ism");
    assert_eq!(advice, "there is no folder /no-such-folder either");
    let (message, advice) = refused(&format!("{LADDER}/Manifest"));
    assert_eq!(message, format!("{LADDER} is a file, not a folder"));
    assert_eq!(advice, format!("name {LADDER} itself"));
}

#[test]
fn urls_and_objects_are_named_as_such() {
    for (url, advice) in [
        ("https://tv.example.com/film.ism/Manifest", "name the files from which it is served"),
        ("s3://films/film.ism", "copy them here, or mount the bucket"),
    ] {
        let (message, advised) = refused(url);
        assert_eq!(message, "this is a URL, not a file or folder of this machine");
        assert!(advised.ends_with(advice), "{advised}");
    }
}

#[test]
fn a_file_without_bytes_is_named() {
    let folder = folder("empty");
    for name in ["a.ism", "a.ismv", "a.ismc", "a.mp4", "a.txt"] {
        let (message, advice) = refused(&write(&folder, name, ""));
        assert_eq!(message, "the file is empty (0 bytes)", "{name}");
        assert_eq!(advice, "copy the file again from its source", "{name}");
    }
}

#[test]
fn an_mp4_file_that_is_cut_off_is_named_with_the_place() {
    let folder = folder("cut-off");
    let whole = fs::read(Path::new(TESTDATA).join("ladder/ladder.ismv")).unwrap();
    for length in [100, 5_000, 200_000] {
        let (message, advice) = refused(&write(&folder, "a.ismv", &whole[..length]));
        let start = format!("this is an MP4 file that is cut off: it ends after {length} bytes, ");
        assert!(message.starts_with(&start), "{message}");
        assert_eq!(advice, "copy the file again from its source");
    }
    let server = "<smil><body><video src='a.ismv'/></body></smil>";
    let server = write(&folder, "b.ism", server);
    let (_, advice) = refused(folder.join("a.ismv").to_str().unwrap());
    assert!(advice.ends_with(&format!("then inspect {server}, which names it")), "{advice}");
}

#[test]
fn manifests_of_other_formats_are_named() {
    let folder = folder("formats");
    let mpd = "<?xml version='1.0'?><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'/>";
    for (name, text, what) in [
        ("a.mpd", mpd, "a manifest of DASH (MPD)"),
        ("a.m3u8", "#EXTM3U\n#EXT-X-VERSION:6\n", "a playlist of HLS (M3U8)"),
        ("b.txt", mpd, "a manifest of DASH (MPD)"),
    ] {
        let (message, advice) = refused(&write(&folder, name, text));
        assert_eq!(message, format!("this is {what}, not a presentation"));
        assert!(advice.starts_with("name the .ism of the film"), "{advice}");
    }
    // As a browser saves it.
    let (message, _) = refused(&write(&folder, "Manifest", "<SmoothStreamingMedia/>"));
    assert_eq!(message, "this is a client manifest (.ismc), not a presentation");
    let (message, advice) = refused(&write(&folder, "notes.txt", "about the film"));
    assert_eq!(message, "this is not a presentation: its name does not end in .ism");
    assert_eq!(advice, "name an .ism (a server manifest), or a folder with some");
}

#[test]
fn an_empty_folder_is_named() {
    let (message, _) = refused(folder("nothing-in-it").to_str().unwrap());
    assert_eq!(message, "this is a folder without a presentation: it is empty");
}

#[test]
fn an_ism_whose_file_is_missing_is_named_with_the_file_and_what_to_do() {
    let folder = folder("gone");
    let server = "<smil><body><video src='gone.ismv'/></body></smil>";
    let path = write(&folder, "a.ism", server);
    let (status, text) = text(&[&path]);
    assert_eq!(status, 3);
    let start = format!(
        "{path}\nnot served: no track of it can be served; its findings say why\n  do what each of them advises\n"
    );
    assert!(text.starts_with(&start), "{text}");
    let gone = folder.join("gone.ismv");
    let finding = format!("\nerror file-missing: {}: the file is not there", gone.display());
    assert!(text.contains(&finding), "{text}");
    assert!(text.contains("\n  put the file back beside the .ism, or take its tracks out of"));
}

#[test]
fn a_publishing_point_is_named() {
    let path = write(&folder("isml"), "a.isml", "<smil><head/><body/></smil>");
    let (message, advice) = refused(&path);
    assert!(message.starts_with("this is a publishing point (.isml)"), "{message}");
    assert!(advice.contains("recording"), "{advice}");
}

#[test]
fn a_folder_without_a_presentation_is_named_with_what_to_do() {
    let folder = folder("without");
    let path = folder.to_str().unwrap();
    let (message, advice) = refused(path);
    assert!(message.starts_with("this is a folder without a presentation"), "{message}");
    assert_eq!(advice, "name a folder with presentations, or an .ism (a server manifest)");
    assert!(text(&[path]).1.contains("not served: this is a folder without"));

    fs::create_dir(folder.join("beneath")).unwrap();
    let film = write(&folder.join("beneath"), "film.mp4", PROGRESSIVE);
    let (_, advice) = refused(path);
    assert!(advice.contains(&format!("`package {film} --output ")), "{advice}");
}

#[test]
fn an_ism_of_which_nothing_can_be_served_is_no_success() {
    let folder = folder("nothing");
    let (message, advice) = refused(&write(&folder, "refs.ism", REFS));
    assert!(message.contains("the server manifest names no track"), "{message}");
    assert!(advice.contains("`video`"), "{advice}");
    let missing = "<smil><body><video src='gone.ismv'/></body></smil>";
    refused(&write(&folder, "missing.ism", missing));
}

#[test]
fn garbage_is_not_opened() {
    let folder = folder("garbage");
    let (message, _) = refused(&write(&folder, "a.ism", b"\xff\0garbage"));
    assert!(message.starts_with("line 1: not well-formed XML"), "{message}");
    refused(&write(&folder, "empty.ism", ""));
    let (message, _) = refused(&write(&folder, "a.bin", "garbage"));
    assert!(message.starts_with("this is not a presentation"), "{message}");
    let (_, advice) = refused(&write(&folder, "a.xml", REFS));
    assert!(advice.contains("rename it"), "{advice}");
}
