//! The listing: every object pinned by key, size and `ETag`, every key checked before anything is made of it.

use std::collections::BTreeMap;

use chemmodel_bundle::BundlePath;
use chemmodel_bundle::report::SyncReason;
use object_store::ObjectMeta;
use object_store::path::Path as Key;

use super::error::SyncError;
use super::hint;
use super::pinned::Pinned;
use super::source::Source;

/// A bundle is a handful of files; a prefix with more objects is not one.
const MAX_OBJECTS: usize = 1000;

/// The objects below a prefix; no two of them want the same file.
#[derive(Debug)]
pub struct Listing(BTreeMap<BundlePath, Pinned>);

impl Listing {
    /// The object at `path` inside the bundle.
    pub fn get(&self, path: &str) -> Option<&Pinned> {
        self.0.get(path)
    }

    /// Paths of all objects.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(BundlePath::as_str)
    }
}

/// Lists the bundle. An empty listing is an error: S3 knows no directories, so it means that nothing is there.
pub async fn list(source: &Source) -> Result<Listing, SyncError> {
    let objects = source.list(MAX_OBJECTS + 1).await?;
    let place = source.verdict().place();
    if objects.len() > MAX_OBJECTS {
        let message =
            format!("more than {MAX_OBJECTS} objects lie below {place}; give model.uri the prefix of one bundle");
        return Err(SyncError::new(SyncReason::InvalidBundle, message));
    }
    let listing = check(source.prefix(), objects).map_err(|(key, why)| {
        let message =
            format!("the key \"{}\" below {place} is not a safe path: {why}; remove the object", key.escape_debug());
        SyncError::new(SyncReason::UnsafeKey, message)
    })?;
    if listing.0.is_empty() {
        let similar = hint::similar(source.prefix().as_ref(), source.neighbours().await);
        let message = format!("there is no object below {place}; upload the bundle or correct model.uri{similar}");
        return Err(SyncError::new(SyncReason::NotFound, message));
    }
    Ok(listing)
}

/// `object_store` has refused `.`, `..`, empty segments and control characters by now, and has cut one slash off the
/// end; this applies the whole rule to what it hands over.
fn check(prefix: &Key, objects: Vec<ObjectMeta>) -> Result<Listing, (String, String)> {
    let mut files = BTreeMap::new();
    for ObjectMeta { location: key, size, e_tag: etag, .. } in objects {
        let below = key
            .as_ref()
            .strip_prefix(prefix.as_ref())
            .ok_or((key.to_string(), "it is not below the prefix".to_owned()))?;
        if below.is_empty() && size == 0 {
            continue; // `prefix/`, with which S3 consoles make a prefix visible.
        }
        let below = below.strip_prefix('/').ok_or((key.to_string(), "it is not below the prefix".to_owned()))?;
        let path: BundlePath = below.parse().map_err(|why| (key.to_string(), format!("{why}")))?;
        let pinned = Pinned { key, path: path.clone(), size, etag };
        if let Some(earlier) = files.insert(path, pinned) {
            return Err((earlier.key.to_string(), "another key becomes the same path".to_owned()));
        }
    }
    // An empty object above others is `members/`, a directory made visible; one with content wants to be a file there.
    let above: Vec<String> =
        files.keys().flat_map(BundlePath::parents).filter(|p| files.contains_key(*p)).map(str::to_owned).collect();
    for directory in above {
        if let Some(marker) = files.remove(directory.as_str())
            && marker.size > 0
        {
            return Err((marker.key.to_string(), "it is a file and also a directory of other keys".to_owned()));
        }
    }
    Ok(Listing(files))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(keys: &[(&str, u64)]) -> Result<Vec<String>, (String, String)> {
        let object = |(key, size): &(&str, u64)| ObjectMeta {
            location: Key::parse(key).unwrap(),
            last_modified: std::time::SystemTime::UNIX_EPOCH.into(),
            size: *size,
            e_tag: None,
            version: None,
        };
        let listing = check(&Key::from("models/v1"), keys.iter().map(object).collect())?;
        Ok(listing.paths().map(str::to_owned).collect())
    }

    #[test]
    fn paths_are_relative_to_the_prefix() {
        let found = listing(&[("models/v1/chemmodel.json", 1), ("models/v1/members/a.onnx", 1)]);
        assert_eq!(found.unwrap(), ["chemmodel.json", "members/a.onnx"]);
    }

    #[test]
    fn empty_objects_that_stand_for_directories_are_left_out() {
        let found = listing(&[("models/v1/", 0), ("models/v1/members/", 0), ("models/v1/members/a.onnx", 1)]);
        assert_eq!(found.unwrap(), ["members/a.onnx"]);
    }

    #[test]
    fn keys_that_cannot_all_be_files_are_refused() {
        let cases: [&[(&str, u64)]; 5] = [
            &[("models/v10/a", 1)],
            &[("models/v1", 7)],
            &[("models/v1/a", 1), ("models/v1/a/", 0)],
            &[("models/v1/a", 1), ("models/v1/a/b", 1)],
            &[("models/v1/a\\b", 1)],
        ];
        for keys in cases {
            assert!(listing(keys).is_err(), "{keys:?} was accepted");
        }
    }
}
