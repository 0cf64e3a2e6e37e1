use std::collections::BTreeMap;

use super::*;

/// A tree of metadata; what is not in it is a 404, and `!` an error.
pub(crate) struct Tree(pub BTreeMap<String, String>);

impl Tree {
    pub fn of(leaves: &[(&str, &str)]) -> Self {
        Self(leaves.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }
}

impl Metadata for Tree {
    async fn get(&mut self, path: &str) -> Result<Option<String>, MetadataError> {
        match self.0.get(path).map(String::as_str) {
            Some("!") => Err(MetadataError("refused".to_owned())),
            text => Ok(text.map(str::to_owned)),
        }
    }
}

const OTHER: (&str, &str) =
    ("network/interfaces/macs/02:00:00:00:00:01/interface-id", "eni-0a1b2c3d4e5f6000f");
const OWN: (&str, &str) =
    ("network/interfaces/macs/02:00:00:00:00:02/interface-id", "eni-0a1b2c3d4e5f60001");
const BOTH: (&str, &str) = ("network/interfaces/macs/", "02:00:00:00:00:01/\n02:00:00:00:00:02/");

fn listed(text: &str) -> (&str, &str) {
    ("network/interfaces/macs/02:00:00:00:00:02/local-ipv4s", text)
}

async fn read(leaves: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let eni = "eni-0a1b2c3d4e5f60001".parse().expect("an id");
    let found = OwnInterface::default().addresses(&eni, &mut Tree::of(leaves)).await;
    let shown = |all: BTreeSet<Ipv4Addr>| all.iter().map(ToString::to_string).collect();
    found.map(shown).map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_addresses_are_those_of_the_files_interface() {
    let found = read(&[BOTH, OTHER, OWN, listed("127.77.0.11\n127.77.0.200")]).await;
    assert_eq!(found, Ok(vec!["127.77.0.11".to_owned(), "127.77.0.200".to_owned()]));
}

#[tokio::test]
async fn what_is_not_told_in_full_is_unknown() {
    for (leaves, why) in [
        (vec![BOTH, OTHER, OWN], "do not list"),
        (vec![BOTH, OTHER, OWN, listed("")], "do not list"),
        (vec![BOTH, OTHER, OWN, listed("127.77.0.11\n127.77.")], "do not list"),
        (vec![BOTH, OTHER, OWN, listed("!")], "refused"),
        (vec![BOTH, OTHER], "has no interface eni-0a1b2c3d4e5f60001"),
        (vec![], "has no interface eni-0a1b2c3d4e5f60001"),
    ] {
        let told = read(&leaves).await.expect_err("it is not known");
        assert!(told.contains(why), "{told}");
    }
}
