//! Languages in words.

/// Tags of BCP 47 and the names of the languages in English: those of most films and broadcasts.
const NAMES: &str = "\
af:Afrikaans am:Amharic ar:Arabic az:Azerbaijani be:Belarusian bg:Bulgarian bn:Bengali bs:Bosnian \
ca:Catalan cs:Czech cy:Welsh da:Danish de:German el:Greek en:English eo:Esperanto es:Spanish \
et:Estonian eu:Basque fa:Persian fi:Finnish fil:Filipino fo:Faroese fr:French ga:Irish gd:Gaelic \
gl:Galician gu:Gujarati he:Hebrew hi:Hindi hr:Croatian hu:Hungarian hy:Armenian id:Indonesian \
is:Icelandic it:Italian ja:Japanese ka:Georgian kk:Kazakh km:Khmer kn:Kannada ko:Korean ku:Kurdish \
la:Latin lb:Luxembourgish lo:Lao lt:Lithuanian lv:Latvian mk:Macedonian ml:Malayalam mn:Mongolian \
mr:Marathi ms:Malay mt:Maltese my:Burmese nb:Norwegian(Bokmål) ne:Nepali nl:Dutch \
nn:Norwegian(Nynorsk) no:Norwegian pa:Punjabi pl:Polish ps:Pashto pt:Portuguese ro:Romanian \
ru:Russian sa:Sanskrit se:Sami si:Sinhala sk:Slovak sl:Slovenian so:Somali sq:Albanian sr:Serbian \
sv:Swedish sw:Swahili ta:Tamil te:Telugu th:Thai tl:Tagalog tr:Turkish uk:Ukrainian ur:Urdu \
uz:Uzbek vi:Vietnamese yi:Yiddish yue:Cantonese zh:Chinese zu:Zulu cmn:Mandarin \
mul:several zxx:none mis:another qaa:original";

/// Returns a language in words, with its region or script as the tag has it: `en-GB` gives `English (GB)`.
pub(super) fn words(tag: &str) -> Option<String> {
    let (language, rest) = tag.split_once('-').map_or((tag, None), |(l, rest)| (l, Some(rest)));
    let mut names = NAMES.split(' ').filter_map(|pair| pair.split_once(':'));
    let name = names.find(|(code, _)| code.eq_ignore_ascii_case(language))?.1.replace('(', " (");
    Some(match rest {
        Some(rest) => format!("{name} ({rest})"),
        None => name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_names() {
        for (tag, name) in [
            ("en", "English"),
            ("DE", "German"),
            ("pt-BR", "Portuguese (BR)"),
            ("nb", "Norwegian (Bokmål)"),
            ("zh-Hant-TW", "Chinese (Hant-TW)"),
        ] {
            assert_eq!(words(tag).as_deref(), Some(name));
        }
        assert_eq!(words("xx"), None);
        assert_eq!(words(""), None);
    }
}
