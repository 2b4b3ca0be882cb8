//! `domain.json`: the surroundings of atoms that training has seen, by which a molecule is told to lie inside or outside
//! of what the model knows (PolyID's domain of validity).

use serde::Deserialize;

/// Name of the file inside a bundle.
pub const DOMAIN_FILE: &str = "domain.json";
/// The version of the domain contract that this crate reads.
pub const DOMAIN_SCHEMA: &str = "chemmodel.io/domain/v1";

/// Why `domain.json` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Not JSON, an unknown or missing field, or a value of another type; the position is in the text.
    #[error("domain.json does not follow the bundle contract: {0}; export the bundle again")]
    Json(String),
    /// Written for another version of the contract.
    #[error(
        "domain.json: schema \"{0}\" is not known; this program reads \"{DOMAIN_SCHEMA}\", so export the bundle again or update this program"
    )]
    Schema(String),
    /// Every molecule would be outside.
    #[error("domain.json: environments is empty, so no molecule could be inside; take the file out of the bundle")]
    Empty,
    /// A list that was put together in another way than the contract says.
    #[error("domain.json: environments[{index}]: {id} is not above the one before; export the bundle again")]
    Order {
        /// Position in the list.
        index: usize,
        /// The id.
        id: u32,
    },
}

/// The content of `domain.json`. Read it with [`Domain::parse`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// Always [`DOMAIN_SCHEMA`].
    pub schema: String,
    /// What the ids are.
    pub scheme: DomainScheme,
    /// Ids of all environments of the training data, ascending, each once.
    pub environments: Vec<u32>,
}

/// What the ids of environments are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum DomainScheme {
    /// Morgan environments of radius 0 to 2: unfolded, without features and chirality, and without hydrogens as atoms.
    #[serde(rename = "morgan-r2")]
    MorganR2,
}

impl Domain {
    /// Reads and checks the bytes of `domain.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self, DomainError> {
        let domain: Self = serde_json::from_slice(bytes).map_err(|e| DomainError::Json(e.to_string()))?;
        if domain.schema != DOMAIN_SCHEMA {
            return Err(DomainError::Schema(domain.schema));
        }
        if domain.environments.is_empty() {
            return Err(DomainError::Empty);
        }
        match domain.environments.windows(2).position(|pair| pair[1] <= pair[0]) {
            Some(before) => Err(DomainError::Order { index: before + 1, id: domain.environments[before + 1] }),
            None => Ok(domain),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn domain() -> Value {
        json!({"schema": "chemmodel.io/domain/v1", "scheme": "morgan-r2", "environments": [7, 864_662_311, u32::MAX]})
    }

    fn parse(value: &Value) -> Result<Domain, DomainError> {
        Domain::parse(value.to_string().as_bytes())
    }

    #[test]
    fn the_example_of_the_contract_is_read() {
        let domain = parse(&domain()).unwrap();
        assert_eq!(domain.scheme, DomainScheme::MorganR2);
        assert_eq!(domain.environments, [7, 864_662_311, u32::MAX]);
    }

    #[test]
    fn every_broken_rule_is_refused_with_the_field_and_the_remedy() {
        let cases = [
            ("schema", json!("chemmodel.io/domain/v2"), "schema \"chemmodel.io/domain/v2\" is not known"),
            ("scheme", json!("morgan-r3"), "unknown variant `morgan-r3`"),
            ("environments", json!([]), "environments is empty"),
            ("environments", json!([1, 1]), "environments[1]: 1 is not above"),
            ("environments", json!([1, 5, 4]), "environments[2]: 4 is not above"),
            ("environments", json!([4_294_967_296_u64]), "invalid value"),
            ("environments", json!([-1]), "invalid value"),
            ("radius", json!(2), "unknown field `radius`"),
        ];
        for (field, value, expected) in cases {
            let mut changed = domain();
            changed[field] = value;
            let error = parse(&changed).expect_err(expected).to_string();
            assert!(error.contains(expected), "expected \"{expected}\" in \"{error}\"");
            assert!(error.contains("domain.json"), "{error}");
        }
    }
}
