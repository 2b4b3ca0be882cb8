//! From a complete staging directory to a published bundle: everything on disk first, then one rename.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use chemmodel_bundle::{BundleDigest, MANIFEST_FILE, Manifest};

use super::error::SyncError;
use super::files::{self, DIRECTORY_MODE};
use super::volume::Volume;

/// Everybody may read a published file and nobody may change it; the server runs as another user.
const FILE_MODE: u32 = 0o444;

/// Publishes `staging` as `models/<digest>`; false when another run had done so in the meantime.
pub fn publish(
    volume: &Volume,
    staging: &Path,
    digest: BundleDigest,
    bytes: &[u8],
    manifest: &Manifest,
) -> Result<bool, SyncError> {
    let on = |doing: &'static str| move |why: io::Error| SyncError::volume(doing, staging, &why);
    write_manifest(&staging.join(MANIFEST_FILE), bytes).map_err(on("write the manifest in"))?;
    seal(staging, "", manifest).map_err(on("seal"))?;
    let model = volume.model(digest);
    let ours = match fs::rename(staging, &model) {
        Ok(()) => true,
        Err(why) if is_taken(&why) && volume.verified(digest).is_some() => false,
        Err(why) if is_taken(&why) => {
            files::remove(&model).and_then(|()| fs::rename(staging, &model)).map_err(on("publish"))?;
            true
        }
        Err(why) => return Err(on("publish")(why)),
    };
    for directory in [volume.models(), volume.staging()] {
        files::sync_directory(directory).map_err(|why| SyncError::volume("flush", directory, &why))?;
    }
    Ok(ours)
}

fn is_taken(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

fn write_manifest(path: &Path, bytes: &[u8]) -> io::Result<()> {
    files::remove(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Leaves nothing but the bundle's own files below `directory`, fixes their permissions and flushes the directories.
fn seal(directory: &Path, below: &str, manifest: &Manifest) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && manifest.files.keys().any(|file| file.parents().any(|parent| parent == name)) {
            seal(&path, &format!("{name}/"), manifest)?;
        } else if kind.is_file() && (name == MANIFEST_FILE || manifest.files.contains_key(name.as_str())) {
            fs::set_permissions(&path, Permissions::from_mode(FILE_MODE))?;
        } else {
            files::remove(&path)?;
        }
    }
    fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?;
    files::sync_directory(directory)
}
