//! Where the instance metadata are: `http://169.254.169.254`, or where the variables of the AWS
//! SDKs point.

use std::fmt;
use std::str::FromStr;

use hyper::Uri;

/// The variable by which AWS SDKs are pointed elsewhere.
const VARIABLE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
/// The variable by which they are told to go by IPv6, where nothing else is said.
const MODE: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";

/// A host and a port that speak plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: String,
    port: u16,
}

impl Endpoint {
    /// Reads the environment.
    ///
    /// # Errors
    /// The variable is set and is no such URL.
    #[expect(clippy::disallowed_methods, reason = "this is the environment's adapter")]
    pub fn from_environment() -> Result<Self, NoEndpoint> {
        let mode = std::env::var(MODE);
        match std::env::var(VARIABLE) {
            Ok(text) => text.parse(),
            Err(_) if mode.is_ok_and(|mode| mode.eq_ignore_ascii_case("ipv6")) => {
                Ok(Self { host: "[fd00:ec2::254]".to_owned(), port: 80 })
            }
            Err(_) => Ok(Self::default()),
        }
    }

    /// The host's name or address, IPv6 without brackets.
    pub fn host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The TCP port.
    pub const fn port(&self) -> u16 {
        self.port
    }
}

/// The link-local address that every instance has.
impl Default for Endpoint {
    fn default() -> Self {
        Self { host: "169.254.169.254".to_owned(), port: 80 }
    }
}

/// As a `Host` header has it.
impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            80 => out.write_str(&self.host),
            port => write!(out, "{}:{port}", self.host),
        }
    }
}

/// A text that names no endpoint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE} is {0:?}, not a plain HTTP URL")]
pub struct NoEndpoint(String);

impl FromStr for Endpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        let wrong = || NoEndpoint(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (Some("http"), Some(host), "" | "/") = (uri.scheme_str(), uri.host(), uri.path())
        else {
            return Err(wrong());
        };
        Ok(Self { host: host.to_owned(), port: uri.port_u16().unwrap_or(80) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_url_without_a_path() {
        let read = |text: &str| text.parse::<Endpoint>().map(|endpoint| endpoint.to_string());
        for (text, want) in [
            ("http://169.254.169.254", "169.254.169.254"),
            ("http://169.254.169.254/", "169.254.169.254"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[fd00:ec2::254]", "[fd00:ec2::254]"),
        ] {
            assert_eq!(read(text), Ok(want.to_owned()), "{text}");
        }
        for text in ["", "169.254.169.254", "https://169.254.169.254", "http://x/latest"] {
            let wrong = read(text).expect_err(text).to_string();
            assert!(wrong.starts_with(&format!("{VARIABLE} is {text:?}")), "{wrong}");
        }
        assert_eq!("http://[fd00:ec2::254]".parse::<Endpoint>().map(|e| e.host().len()), Ok(13));
        assert_eq!("http://169.254.169.254".parse(), Ok(Endpoint::default()));
    }
}
