//! Languages, as tags of BCP 47.

/// Codes of ISO 639-2 that have a code of two letters, which BCP 47 requires in their place: the
/// terminology codes, and the bibliographic codes that differ from them.
const SHORT: &str = "\
aar:aa abk:ab afr:af aka:ak alb:sq amh:am ara:ar arg:an arm:hy asm:as ava:av ave:ae aym:ay aze:az \
bak:ba bam:bm baq:eu bel:be ben:bn bih:bh bis:bi bod:bo bos:bs bre:br bul:bg bur:my cat:ca ces:cs \
cha:ch che:ce chi:zh chu:cu chv:cv cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl \
dzo:dz ell:el eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fin:fi fra:fr fre:fr fry:fy \
ful:ff geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el grn:gn guj:gu hat:ht hau:ha heb:he her:hz \
hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik \
isl:is ita:it jav:jv jpn:ja kal:kl kan:kn kas:ks kat:ka kau:kr kaz:kk khm:km kik:ki kin:rw kir:ky \
kom:kv kon:kg kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg \
mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nau:na \
nav:nv nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:nb nor:no nya:ny oci:oc oji:oj ori:or orm:om \
oss:os pan:pa per:fa pli:pi pol:pl por:pt pus:ps que:qu roh:rm ron:ro rum:ro run:rn rus:ru sag:sg \
san:sa sin:si slk:sk slo:sk slv:sl sme:se smo:sm sna:sn snd:sd som:so sot:st spa:es sqi:sq srd:sc \
srp:sr ssw:ss sun:su swa:sw swe:sv tah:ty tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti \
ton:to tsn:tn tso:ts tuk:tk tur:tr twi:tw uig:ug ukr:uk urd:ur uzb:uz ven:ve vie:vi vol:vo wel:cy \
wln:wa wol:wo xho:xh yid:yi yor:yo zha:za zho:zh zul:zu";

/// Longest tag that is read, in bytes.
const LONGEST: usize = 64;

/// Returns a language of a manifest or a file as a tag of BCP 47, with the usual case of letters:
/// `eng` gives `en`, `pt_br` gives `pt-BR`. `None` if it is unknown (`und`), empty, or no tag.
///
/// Manifests have codes of ISO 639-2 or tags of RFC 1766.
///
/// Spec: RFC 5646, 2.1 and 4.5.
///
/// ```
/// use smooth_origin::manifest::language_tag;
/// assert_eq!(language_tag("ger").as_deref(), Some("de"));
/// assert_eq!(language_tag("zh-hant-tw").as_deref(), Some("zh-Hant-TW"));
/// assert_eq!(language_tag("und"), None);
/// ```
pub fn language_tag(language: &str) -> Option<String> {
    let language = language.trim();
    if language.is_empty() || language.len() > LONGEST {
        return None;
    }
    let mut tag = String::with_capacity(language.len());
    let mut is_behind_singleton = false;
    for (number, part) in language.split(['-', '_']).enumerate() {
        let is_part =
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_part {
            return None;
        }
        let lower = part.to_ascii_lowercase();
        if number == 0 {
            let is_language = lower.len() > 1 && lower.bytes().all(|b| b.is_ascii_lowercase());
            // `mul` and `zxx` say something; `und` does not.
            if !is_language || lower == "und" {
                return None;
            }
            tag.push_str(short(&lower).unwrap_or(&lower));
            continue;
        }
        tag.push('-');
        match part.len() {
            _ if is_behind_singleton => tag.push_str(&lower),
            2 => tag.push_str(&part.to_ascii_uppercase()),
            4 if part.as_bytes()[0].is_ascii_alphabetic() => {
                tag.push_str(&part[..1].to_ascii_uppercase());
                tag.push_str(&lower[1..]);
            }
            _ => tag.push_str(&lower),
        }
        is_behind_singleton |= part.len() == 1;
    }
    Some(tag)
}

fn short(language: &str) -> Option<&'static str> {
    if language.len() != 3 {
        return None;
    }
    SHORT.split(' ').find_map(|pair| pair.strip_prefix(language)?.strip_prefix(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_three_letters_become_the_shortest() {
        for (language, tag) in [
            ("eng", "en"),
            ("ENG", "en"),
            ("fre", "fr"),
            ("fra", "fr"),
            ("ger", "de"),
            ("deu", "de"),
            ("zul", "zu"),
            ("aar", "aa"),
            ("fil", "fil"),
            ("mul", "mul"),
            ("en", "en"),
            (" nl ", "nl"),
        ] {
            assert_eq!(language_tag(language).as_deref(), Some(tag), "{language}");
        }
    }

    #[test]
    fn parts_have_their_usual_case() {
        for (language, tag) in [
            ("en-us", "en-US"),
            ("PT_br", "pt-BR"),
            ("eng-GB", "en-GB"),
            ("zh-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sl-rozaj-1994", "sl-rozaj-1994"),
            ("en-x-AD", "en-x-ad"),
        ] {
            assert_eq!(language_tag(language).as_deref(), Some(tag), "{language}");
        }
    }

    #[test]
    fn words_that_are_no_language_give_no_tag() {
        for language in
            ["", "und", "UND", "und-US", "e", "en--us", "en-", "français", "en us", "12"]
        {
            assert_eq!(language_tag(language), None, "{language}");
        }
        assert_eq!(language_tag(&"a-".repeat(40)), None);
    }

    #[test]
    fn the_table_is_in_order_and_well_formed() {
        let codes: Vec<&str> = SHORT.split(' ').collect();
        assert!(codes.is_sorted());
        assert!(codes.iter().all(|pair| pair.len() == 6 && &pair[3..4] == ":"));
    }
}
