//! The table of findings says of every code what the code itself says.

use std::collections::BTreeMap;

use smooth_origin::presentation::FindingCode;

/// The columns of every row, by code.
fn rows() -> BTreeMap<String, Vec<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/findings.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let columns: Vec<String> =
            row.trim_matches('|').split('|').map(|column| column.trim().to_owned()).collect();
        (columns[0].trim_matches('`').to_owned(), columns)
    })
    .collect()
}

#[test]
fn every_code_has_a_row_with_its_severity_and_cure_and_no_row_is_left_over() {
    let mut rows = rows();
    for code in FindingCode::ALL {
        let row = rows.remove(code.as_str()).unwrap_or_else(|| panic!("no row for {code}"));
        let [_, severity, meaning, cause, cure] = &row[..] else {
            panic!("{code} has {} columns", row.len())
        };
        assert_eq!(*severity, code.severity().to_string(), "{code}");
        assert_eq!(cure, code.advice(), "{code}");
        assert!(meaning.len() > 20 && cause.len() > 10, "{code} says too little");
    }
    assert!(rows.is_empty(), "rows of no code: {:?}", rows.keys());
}
