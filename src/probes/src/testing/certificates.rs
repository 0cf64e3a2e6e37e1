//! Certificates for the tests, made anew for each.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use vipward_core::config::Tls;

use crate::testing::scratch::fresh_directory;

/// An authority, and the directory with what it certifies.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub directory: PathBuf,
}

/// Files that a server is started with.
pub(crate) struct Certified {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Self::named(&format!("authority {}", NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    pub fn named(name: &str) -> Self {
        let directory = fresh_directory("authority");
        let mut parameters = CertificateParams::new([]).expect("no name is wrong");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(parameters, key).expect("a certificate");
        let authority = Self { issuer, directory };
        std::fs::write(authority.ca_file(), authority.issuer.pem()).expect("writable");
        authority
    }

    pub fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// How a check trusts it.
    pub fn trusted(&self) -> Tls {
        Tls { name: None, ca_file: Some(self.ca_file()), verify: true }
    }

    /// A certificate for that name or address.
    pub fn certify(&self, name: &str) -> Certified {
        self.write(&parameters(name), name)
    }

    /// One that is no longer valid.
    pub fn certify_expired(&self, name: &str) -> Certified {
        let mut parameters = parameters(name);
        parameters.not_before = date_time_ymd(2000, 1, 1);
        parameters.not_after = date_time_ymd(2001, 1, 1);
        self.write(&parameters, "expired")
    }

    fn write(&self, parameters: &CertificateParams, stem: &str) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        let file = |suffix, content: String| {
            let path = self.directory.join(format!("{stem}.{suffix}"));
            std::fs::write(&path, content).expect("writable");
            path
        };
        let (certificate, key) = (file("crt", certificate.pem()), file("key", key.serialize_pem()));
        // Servers refuse a key that others may read.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&key, mode).expect("our own file");
        Certified { certificate, key }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _removed = std::fs::remove_dir_all(&self.directory);
    }
}

fn parameters(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).expect("a name")
}

impl Certified {
    /// A server's side of TLS.
    pub fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_slice(&read(&self.certificate)).expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)).expect("PEM");
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers for both versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("they belong together");
        TlsAcceptor::from(Arc::new(config))
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("a file of ours")
}
