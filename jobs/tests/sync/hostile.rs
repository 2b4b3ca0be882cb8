//! Keys that want to leave the target. S3 stores any key; a file system must not.

use std::fs;

use chemmodel_bundle::report::SyncReason;

use crate::bundle::{Bundle, assert_nothing_published, files_below};
use crate::fake::{self, Fake, Response};
use crate::job::Job;

/// What an attacker puts where a segment should be; as bytes of the listing's XML.
const SEGMENTS: [&[u8]; 24] = [
    b"..",
    b".",
    b"",
    b"..\\..",
    b"\\",
    b"a\\b",
    b"C:\\x",
    b"\\\\host\\share",
    b"&#0;",
    b"a&#0;b",
    b"&#1;",
    b"a&#x0A;b",
    b"&#13;",
    b"&#27;[2J",
    b"&#127;",
    b"a\tb",
    b"\xc3\x28",
    b"\xff\xfe",
    b"a\xed\xa0\x80",
    "\u{85}".as_bytes(),
    "a\u{9b}b".as_bytes(),
    b"a\x00b",
    b"\x01",
    LONG,
];
const LONG: &[u8] = &[b'x'; 256];

/// Where it is put.
fn keys(segment: &[u8]) -> Vec<Vec<u8>> {
    let forms: [&[&[u8]]; 5] = [
        &[b"bp/v1/", segment, b"/etc/passwd"],
        &[b"bp/v1/members/", segment, b"/x"],
        &[b"bp/v1/", segment, b"/", segment, b"/canary"],
        &[b"bp/v1/./", segment, b"/x"],
        &[b"bp/v1/a/", segment, b"/../", segment, b"/y"],
    ];
    forms.iter().map(|parts| parts.concat()).collect()
}

#[test]
fn no_hostile_key_writes_anything_anywhere() {
    let corpus: Vec<_> = SEGMENTS.into_iter().flat_map(keys).collect();
    assert!(corpus.len() >= 100);
    for key in corpus {
        let shown = key.escape_ascii().to_string();
        // The listing also has a perfectly good bundle: one bad key is enough to refuse all of it.
        let bundle = Bundle::small();
        let fake = Fake::start(move |request| {
            if request.is_listing() {
                let good: Vec<_> = bundle
                    .files
                    .iter()
                    .map(|(path, content)| (format!("bp/v1/{path}"), content.len() as u64))
                    .collect();
                let good = good.iter().map(|(key, size)| (key.as_bytes(), *size));
                return Response::listing(good.chain([(key.as_slice(), 4)]));
            }
            fake::serve(&bundle, "bp/v1", request)
        });
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().join("a/b/target");
        fs::create_dir_all(&target).unwrap();
        let ended = Job::sync(&fake.endpoint(), "bp/v1", &target).run();
        assert_eq!(ended.failed().reason, SyncReason::UnsafeKey, "{shown}: {}", ended.failed().message);
        assert_eq!(files_below(outside.path()), [""; 0], "{shown} wrote a file");
        assert!(
            !ended.stderr.contains('\u{1b}') && !ended.failed().message.contains('\u{1b}'),
            "{shown} reached the terminal"
        );
    }
}

#[test]
fn keys_that_become_the_same_file_are_refused() {
    let cases: [&[&[u8]]; 4] = [
        &[b"bp/v1/x", b"bp/v1/x"],
        &[b"bp/v1/x", b"bp/v1/x/"],
        &[b"bp/v1/x", b"bp/v1/x/y"],
        &[b"bp/v10/chemmodel.json"],
    ];
    for keys in cases {
        let fake = Fake::start(move |_| Response::listing(keys.iter().map(|key| (*key, 4))));
        let target = tempfile::tempdir().unwrap();
        Job::sync(&fake.endpoint(), "bp/v1", target.path())
            .run()
            .assert_failed(SyncReason::UnsafeKey, &["remove the object"]);
        assert_nothing_published(target.path());
    }
}

#[test]
fn odd_but_harmless_keys_are_left_where_they_are() {
    let (bundle, target) = (Bundle::small(), tempfile::tempdir().unwrap());
    let served = bundle.clone();
    let fake = Fake::start(move |request| {
        if request.is_listing() {
            let keys: Vec<_> = served
                .files
                .iter()
                .map(|(path, content)| (format!("bp/v1/{path}").into_bytes(), content.len() as u64))
                .collect();
            let odd: [&[u8]; 6] = [
                b"bp/v1/",
                b"bp/v1/members/",
                b"bp/v1/...",
                b"bp/v1/a..b",
                b"bp/v1/%2e%2e/x",
                "bp/v1/模型 1".as_bytes(),
            ];
            return Response::listing(
                keys.iter().map(|(key, size)| (key.as_slice(), *size)).chain(odd.map(|key| (key, 0))),
            );
        }
        fake::serve(&served, "bp/v1", request)
    });
    Job::sync(&fake.endpoint(), "bp/v1", target.path()).run().succeeded();
    bundle.assert_published(target.path());
}
