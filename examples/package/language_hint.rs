//! Languages in the names of files of captions, as players and archives write them: `film.eng.srt`.

use std::path::Path;

use smooth_origin::manifest::language_tag;

/// Words of file names behind the language.
const WORDS: [&str; 6] = ["cc", "sdh", "hi", "forced", "default", "full"];

/// Codes of ISO 639-1.
const TWO_LETTERS: &str = "\
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da \
de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz \
ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln \
lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi \
pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti \
tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Returns the language in the name of a file of captions, as it is written there.
pub(crate) fn language(path: &Path) -> Option<&str> {
    let stem = path.file_stem()?.to_str()?;
    // What precedes the first dot is the title.
    let (_, rest) = stem.split_once('.')?;
    let mut parts =
        rest.rsplit('.').skip_while(|part| WORDS.contains(&&*part.to_ascii_lowercase()));
    let part = parts.next()?;
    let tag = language_tag(part)?;
    let code = tag.split('-').next()?;
    // Codes of three letters become those of two, unless there is none.
    TWO_LETTERS.split(' ').any(|known| known == code).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_name_says_it() {
        for (name, expected) in [
            ("film.eng.srt", Some("eng")),
            ("film.pt-BR.vtt", Some("pt-BR")),
            ("film.1080p.fre.forced.srt", Some("fre")),
            ("film.en.SDH.srt", Some("en")),
            ("film.srt", None),
            ("en.srt", None),
            ("film.x264.srt", None),
            ("film.the.srt", None),
            ("film.hd.srt", None),
        ] {
            assert_eq!(language(Path::new(name)), expected, "{name}");
        }
    }
}
