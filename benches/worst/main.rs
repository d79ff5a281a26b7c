//! Measures hostile content: one generated presentation per run, opened and asked. `worst.py` runs
//! it under valgrind, to count instructions, and as it is, for processor time and memory.
//!
//!     worst list            names the cases, each with the number of parts that makes about 2 MB
//!     worst CASE PARTS      opens and asks it, and prints the bytes of its files
//!     worst write FOLDER    writes all cases at about 2 MB, a folder each

mod asked;
mod cases;

use std::path::Path;

use cases::CASES;

/// The one function whose instructions are counted, with all that it calls.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => CASES.iter().for_each(|case| println!("{}\t{}", case.name, case.large)),
        ["write", folder] => write_all(Path::new(folder)),
        [name, parts] => {
            let case = CASES.iter().find(|case| case.name == name);
            let (Some(case), Ok(parts)) = (case, parts.parse()) else { usage() };
            let files = (case.files)(parts);
            println!("{}", files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
            measured(&mut || asked::open_and_ask(&files));
        }
        _ => usage(),
    }
}

fn write_all(folder: &Path) {
    for case in CASES {
        let folder = folder.join(case.name);
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        for (name, bytes) in (case.files)(case.large) {
            std::fs::write(folder.join(name), bytes).expect("a file can be written");
        }
    }
}

fn usage() -> ! {
    eprintln!("worst list | worst CASE PARTS | worst write FOLDER");
    std::process::exit(2);
}
