//! The health of presentations in the page's list.

use serde_json::Value;

use crate::page_api::{Server, array};

fn health(list: &Value, name: &str) -> Value {
    let of = array(&list["presentations"]).iter().find(|of| of["name"] == name);
    of.unwrap_or_else(|| panic!("{name} is not listed"))["health"].clone()
}

#[test]
fn the_list_knows_the_health_of_what_the_page_has_opened() {
    let server = Server::testdata();
    let (fine, sick) = ("ladder/ladder.ism", "dialects/missing/missing.ism");
    let list = server.list("limit=1000");
    assert!(array(&list["presentations"]).iter().all(|of| of["health"].is_null()));
    let unchecked = array(&list["presentations"]).len();

    let checked = server.api(&format!("health?name={sick}"));
    server.api(&format!("presentation?name={fine}"));
    let list = server.list("limit=1000");
    assert_eq!(health(&list, sick), checked["health"]);
    assert_eq!(health(&list, fine), "fine");

    let list = server.list("health=sick");
    assert_eq!((array(&list["presentations"]).len(), &list["next"]), (1, &Value::Null));
    assert_eq!(health(&list, sick), checked["health"]);
    let list = server.list("health=unchecked&limit=1000");
    assert_eq!(array(&list["presentations"]).len(), unchecked - 2);
}

#[test]
fn the_sick_are_listed_the_worst_first_page_by_page() {
    let server = Server::testdata();
    let name = |name: &str| format!("dialects/{name}/{name}.ism");
    // Warnings, errors, errors, warnings, and one without.
    for title in ["archive", "missing", "recording", "unified", "azure"] {
        server.api(&format!("health?name={}", name(title)));
    }
    let worst_first = ["missing", "recording", "archive", "unified"].map(name);
    for limit in 1..=5 {
        let (mut names, mut after) = (Vec::new(), String::new());
        for _ in 0..10 {
            let list = server.list(&format!("health=sick&limit={limit}{after}"));
            let page = array(&list["presentations"]);
            assert!(page.len() <= limit && !page.is_empty());
            names.extend(page.iter().map(|of| of["name"].as_str().unwrap().to_owned()));
            match list["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(names, worst_first, "{limit} at a time");
    }
    let found = server.list("health=sick&search=UNIFIED");
    assert_eq!(array(&found["presentations"]).len(), 1);
}

#[test]
fn a_health_that_nobody_can_know_is_refused() {
    let server = Server::testdata();
    assert_eq!(server.get("/-/api/presentations?health=well").status, 400);
    assert_eq!(server.get("/-/api/health").status, 400);
    assert_eq!(server.get("/-/api/health?name=none.ism").status, 404);
}
