//! What there is to play, for people to try.

use std::net::SocketAddr;
use std::path::Path;

use smooth_origin::base::Name;
use smooth_origin::origin::Origin;

/// Prints the presentations of a folder and what is wrong with them.
pub(crate) async fn print_presentations(origin: &Origin, folder: &Path, address: SocketAddr) {
    let mut names = Vec::new();
    find_presentations(folder, "", &mut names);
    names.sort();
    if names.is_empty() {
        println!("no presentation (.ism) in {}", folder.display());
    }
    for name in names {
        match origin.open(&name).await {
            Ok(opened) => {
                match opened.presentation().manifest() {
                    Ok(_) => println!("http://{address}/{}/Manifest", in_url(name.as_str())),
                    Err(error) => println!("{name} cannot be served: {error}"),
                }
                for finding in opened.presentation().findings() {
                    println!("  {finding}");
                }
            }
            Err(error) => println!("{name} cannot be served: {error}"),
        }
    }
    println!("listening on {address}; stop with Ctrl-C");
}

/// Folders deeper than this are not looked into for a list to print.
const MAX_DEPTH: usize = 8;

/// More presentations than these are not looked for.
const MAX_LISTED: usize = 100;

fn find_presentations(root: &Path, below: &str, names: &mut Vec<Name>) {
    let Ok(entries) = std::fs::read_dir(root.join(below)) else { return };
    for entry in entries.flatten() {
        if names.len() == MAX_LISTED {
            return;
        }
        let Ok(file_name) = entry.file_name().into_string() else { continue };
        let path = if below.is_empty() { file_name } else { format!("{below}/{file_name}") };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && path.matches('/').count() < MAX_DEPTH => {
                find_presentations(root, &path, names);
            }
            Ok(_) if path.to_ascii_lowercase().ends_with(".ism") => {
                names.extend(Name::new(&path));
            }
            _ => {}
        }
    }
}

/// A path as a URL has it.
fn in_url(path: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~/()".contains(byte);
    path.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
