//! The molecules to ask, and what every answer must be: from the bundle on the volume and from the user's file.

use std::path::Path;

use chemmodel_bundle::verification::VerifyReason;
use chemmodel_bundle::{
    BundleDigest, GOLDEN_FILE, Golden, GoldenError, GoldenOutput, MANIFEST_FILE, Manifest, Sha256Hex, Tolerance,
};

use super::args::VerifyArgs;
use super::compare::describe;
use super::failure::Failure;

/// Everything that will be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Questions {
    /// Names and units that the answers must have, in order.
    pub outputs: Vec<GoldenOutput>,
    /// At least one.
    pub molecules: Vec<Question>,
}

/// One molecule.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// As it is sent.
    pub smiles: String,
    /// One reference for each output, in its unit.
    pub expected: Vec<f64>,
    /// How far an answer may be from it.
    pub tolerance: Tolerance,
}

/// Reads the bundle's golden.json and the user's file.
pub fn load(args: &VerifyArgs) -> Result<Questions, Failure> {
    let manifest = manifest(&args.bundle, args.digest)?;
    let served: Vec<_> = manifest.outputs.iter().map(|o| output(&o.name, o.unit.as_deref())).collect();
    let mut molecules = Vec::new();
    if let Some(bytes) = pinned_golden(&args.bundle, &manifest)? {
        let mut golden = Golden::parse(&bytes, served.len()).map_err(|why| of_bundle(&args.bundle, &why))?;
        require_outputs(GOLDEN_FILE, &golden, &served)?;
        golden.tolerance = manifest.tolerance_in(args.precision, golden.tolerance).ok_or_else(|| no_variant(args))?;
        molecules.extend(questions(golden, args));
    }
    if let Some(file) = &args.golden {
        let golden = Golden::parse(&read(file)?, served.len()).map_err(|why| of_user(file, &why))?;
        require_outputs(&file.display().to_string(), &golden, &served)?;
        molecules.extend(questions(golden, args));
    }
    if molecules.is_empty() {
        let message = "there is no molecule with a known answer: the bundle has no golden.json; export it with \
                       chemmodel-export, or give molecules with verification.goldenConfigMapRef";
        return Err(Failure::new(VerifyReason::NoMolecules, message));
    }
    Ok(Questions { outputs: served, molecules })
}

fn manifest(bundle: &Path, digest: BundleDigest) -> Result<Manifest, Failure> {
    let invalid = |why: String| {
        let message = format!("the bundle at {} cannot be used: {why}; sync it again", bundle.display());
        Failure::new(VerifyReason::InvalidBundle, message)
    };
    let bytes = std::fs::read(bundle.join(MANIFEST_FILE)).map_err(|why| invalid(format!("{MANIFEST_FILE}: {why}")))?;
    let found = BundleDigest::of(&bytes);
    if found != digest {
        return Err(invalid(format!("its digest is {found}, but {digest} is expected")));
    }
    Manifest::parse(&bytes).map_err(|why| invalid(why.to_string()))
}

/// The bytes that the manifest pins; nothing else is evidence.
fn pinned_golden(bundle: &Path, manifest: &Manifest) -> Result<Option<Vec<u8>>, Failure> {
    let Some(entry) = manifest.files.get(GOLDEN_FILE) else { return Ok(None) };
    let path = bundle.join(GOLDEN_FILE);
    let invalid = |why: &str| {
        let message = format!("{} cannot be used: {why}; sync the bundle again", path.display());
        Failure::new(VerifyReason::InvalidBundle, message)
    };
    let bytes = std::fs::read(&path).map_err(|why| invalid(&why.to_string()))?;
    if Sha256Hex::of(&bytes) != entry.sha256 {
        return Err(invalid("its content is not what chemmodel.json says"));
    }
    Ok(Some(bytes))
}

fn no_variant(args: &VerifyArgs) -> Failure {
    let message = format!(
        "the bundle has no variant for --precision {} (spec.runtime.precision); make one with chemmodel-export variant, or use Fp32",
        args.precision
    );
    Failure::new(VerifyReason::InvalidConfiguration, message)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|why| {
        let message =
            format!("--golden {} cannot be read: {why}; check verification.goldenConfigMapRef", file.display());
        Failure::new(VerifyReason::InvalidConfiguration, message)
    })
}

fn of_bundle(bundle: &Path, why: &GoldenError) -> Failure {
    Failure::new(reason(why, VerifyReason::InvalidBundle), format!("the bundle at {}: {why}", bundle.display()))
}

fn of_user(file: &Path, why: &GoldenError) -> Failure {
    let message = format!("--golden {} (verification.goldenConfigMapRef): {why}", file.display());
    Failure::new(reason(why, VerifyReason::InvalidConfiguration), message)
}

fn reason(why: &GoldenError, otherwise: VerifyReason) -> VerifyReason {
    if matches!(why, GoldenError::NoMolecules) { VerifyReason::NoMolecules } else { otherwise }
}

/// What the original framework computed is what the manifest tells the server to answer.
fn require_outputs(file: &str, golden: &Golden, served: &[GoldenOutput]) -> Result<(), Failure> {
    if golden.outputs.is_empty() || golden.outputs == served {
        return Ok(());
    }
    let message = format!(
        "{file} has the answers for {}, but chemmodel.json makes the server answer {}; correct the one that is wrong and export \
         the bundle again",
        describe(&golden.outputs),
        describe(served)
    );
    Err(Failure::new(VerifyReason::WrongOutputs, message))
}

fn questions(golden: Golden, args: &VerifyArgs) -> impl Iterator<Item = Question> {
    let Golden { tolerance, molecules, .. } = golden;
    let tolerance = Tolerance {
        absolute: args.abs_tolerance.unwrap_or(tolerance.absolute),
        relative: args.rel_tolerance.unwrap_or(tolerance.relative),
    };
    molecules.into_iter().map(move |m| Question { smiles: m.smiles, expected: m.predictions, tolerance })
}

fn output(name: &str, unit: Option<&str>) -> GoldenOutput {
    GoldenOutput { name: name.to_owned(), unit: unit.map(str::to_owned) }
}
