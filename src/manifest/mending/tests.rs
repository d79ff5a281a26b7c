use super::*;

fn mended(inside: &str) -> (String, Vec<String>) {
    let (text, faults) = mend(&format!("<r>\n{inside}</r>"), "r", 10).unwrap();
    let text = text.strip_prefix("<r>\n").and_then(|text| text.strip_suffix("</r>"));
    (text.unwrap().to_owned(), faults)
}

#[test]
fn each_fault_costs_as_little_as_possible() {
    for (text, right) in [
        ("<a n='x & y'/>", "<a n='x &amp; y'/>"),
        ("<a n='&eacute;'>&b;</a>", "<a n='&amp;eacute;'>&amp;b;</a>"),
        ("<a n='1 < 2'/>", "<a n='1 &lt; 2'/>"),
        ("<a n='\u{1}x'>\0</a>", "<a n='x'></a>"),
        ("<a n='1' n='1'/>", "<a n='1'/>"),
        ("<a n='1'm='1'/>", "<a n='1' m='1'/>"),
        ("<a n=1 m=\"2\"/>", "<a n=\"1\" m=\"2\"/>"),
        ("<a n\"1\"/>", "<a n=\"1\"/>"),
        ("<a n=1\"/>", "<a n=\"1\"/>"),
        ("<a n='1' n='2' m='3'><b/>x</a>", "<a n='1' m='3'><b/>x</a>"),
        ("<a n='1' m='3' n=2/>", "<a n='1' m='3'/>"),
        ("<a n><b/>x</a><b/>", "<b/>"),
        ("<a n='1/><b m='2'/><b/>", "<b m='2'/><b/>"),
        ("<a n/><b/>", "<b/>"),
        ("<a><b></a>", "<a><b/></a>"),
        ("<a/></b>", "<a/>"),
        ("<c d='1'><c d='2'/>", "<c d='1'></c><c d='2'/>"),
        ("<a></aa>", "<a></a>"),
        ("<a><ab<c d='1'>x</abc></a>", "<a><c d='1'>x</c></a>"),
        ("<c d='1/><c d='2'/>", "<c/><c d='2'/>"),
        (
            "<QualityLevel Bitrate='1' Bitrate='2'><a/></QualityLevel>",
            "<QualityLevel Bitrate='1'><a/></QualityLevel>",
        ),
        ("<QualityLevel Bitrate><a/></QualityLevel><a/>", "<QualityLevel/><a/>"),
        ("<!-- a -- b --><a/>", "<a/>"),
        ("<?xml version='1.0'?><a/>", "<a/>"),
        ("x ]]> y < z", "x ]]&gt; y &lt; z"),
    ] {
        let (mended, faults) = mended(text);
        assert_eq!(mended, right, "{text}");
        assert!(faults[0].starts_with("line 2: "), "{text}: {faults:?}");
    }
}

#[test]
fn what_is_around_the_root_goes() {
    for (text, right) in [
        ("<r/>junk", "<r/>"),
        ("<r/><r/><a", "<r/>"),
        ("<r></r>eam></r>\n", "<r></r>\n"),
        ("hello <r/>", "<r/>"),
        ("\0\0<?xml version='1.0'?><r/>", "<?xml version='1.0'?><r/>"),
        ("<?x y?><?xml version='1.0'?>\n<r/>", "<?x y?>\n<r/>"),
        ("<?xml encoding='utf-8'?><r/>", "<?xml version=\"1.0\" encoding=\"utf-8\"?><r/>"),
        ("<r><a/>", "<r><a/></r>"),
    ] {
        let (mended, faults) = mend(text, "r", 10).unwrap();
        assert_eq!((mended.as_str(), faults.is_empty()), (right, false), "{text}");
    }
    for text in ["", "junk", "<a/>", "<r", "<r><a>"] {
        assert_eq!(mend(text, "r", 10).filter(|(text, _)| text != "<r></r>"), None, "{text}");
    }
}

#[test]
fn what_is_well_formed_stays_and_too_many_faults_are_not_mended() {
    let good = "<?xml version='1.0' encoding='utf-8'?>\n<r a = 'x>y'><!-- - --><b>&#x41;&lt;</b\n>\
                <![CDATA[<&]]><?p?></r>\n<!-- z -->";
    assert_eq!(mend(good, "r", 10), Some((good.to_owned(), Vec::new())));
    assert!(mend(&format!("<r>{}</r>", "<".repeat(MOST_FAULTS + 1)), "r", 10).is_none());
    let unclosed = |count: usize| format!("<r>{}</r>", "<c>".repeat(count));
    assert!(mend(&unclosed(MOST_UNCLOSED), "r", 10).is_some());
    assert!(mend(&unclosed(MOST_UNCLOSED + 2), "r", 10).is_none());
    assert!(mend(&"<r>".repeat(20), "r", 10).is_none());
}

/// Units of hostile documents, and what precedes and follows them.
const HOSTILE: &[(&str, &str, &str)] = &[
    ("", "<!--", ""),
    ("", "<!-->", ""),
    ("", "<?", ""),
    ("", "<!DOCTYPE[>", ""),
    ("", "<!DOCTYPE", ""),
    ("", "<![CDATA[", ""),
    ("", "<!--<?<![CDATA[<!DOCTYPE[>", ""),
    ("", "<", ""),
    ("", "&", ""),
    ("", "]]>", ""),
    ("", "<y>", ""),
    ("", "<y a='1' a='2'>", ""),
    ("", "<y a='1' a='2'></y>", ""),
    ("", "<y a='1' a='1'/>", ""),
    ("", "<y a></y>", ""),
    ("", "</y>", ""),
    ("", "</x", ""),
    ("", "<y a=\"<y b='", ""),
    ("", "<y a='", ""),
    ("", "<y a", ""),
    ("", "<y a='&'/>", ""),
    ("<y", " a='<z'", "><"),
    ("<y", " a='<z' b='<z'", ">"),
    ("<y a='1'", " a='2'", ">"),
    ("<y a>", "<c>", ""),
    ("<y a>", "<y><z a=1></y>", ""),
    ("<y a>", "<c d='1'/>", "</y>"),
    ("<y a>", "text & ", "</y>"),
];

#[test]
fn what_is_looked_at_is_a_multiple_of_the_text_wherever_it_is() {
    for around in ["<r>", "<r><x a>", "<r><c d='>", "<r a>", "<r a='1' a='2'>", ""] {
        for (before, unit, after) in HOSTILE {
            let text = format!("{around}{before}{}{after}", unit.repeat(50_000 / unit.len()));
            let mut mender = Mender::new(&text, "r");
            let _ = mender.read(64);
            let looked_at = mender.looked_at();
            assert!(looked_at <= 7 * text.len(), "{around}{before}{unit}: {looked_at}");
        }
    }
}

#[test]
fn a_document_of_start_tags_that_each_go_on_to_the_end_is_not_mended() {
    // Each `<y` is in the quotes of the tag before, and is broken at the end of the document.
    let attributes: String = (0..900).map(|i| format!(" a{i}=\"' b{i}='\"")).collect();
    let text = format!("<r>{}", format!("<y a=\"<y b='\"{attributes} <").repeat(20));
    let mut mender = Mender::new(&text, "r");
    let _ = mender.read(64);
    assert!(mender.looked_at() <= (MOST_LOOKED_AT + 1) * text.len());
    assert!(mender.read_again > text.len() / 2, "{}", mender.read_again);
}

#[test]
fn faults_in_an_element_that_is_left_out_are_counted() {
    let of = |count: usize| format!("<r><x a>{}</x><c/></r>", "<!--".repeat(count));
    let (mended, faults) = mend(&of(10), "r", 10).unwrap();
    assert_eq!((mended.as_str(), faults.len()), ("<r><c/></r>", 1));
    assert!(mend(&of(MOST_FAULTS + 1), "r", 10).is_none());
}
