//! Signed tokens in the compact form of RFC 7515, as both services ask for them. Signs only.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// A key with the one algorithm it signs with.
pub(super) enum SigningKey {
    /// P-256 with SHA-256, signature as r and s side by side.
    Es256(EcdsaKeyPair),
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256(rsa::KeyPair),
}

impl SigningKey {
    /// Reads Apple's `.p8`. The error says what is wrong, without the key.
    pub fn es256(pem: &str) -> Result<Self, &'static str> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| "not a PKCS#8 PEM")?;
        EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            der.secret_pkcs8_der(),
            &SystemRandom::new(),
        )
        .map(Self::Es256)
        .map_err(|_| "not a P-256 key")
    }

    /// Reads the key of a service account. The error says what is wrong, without the key.
    pub fn rs256(pem: &str) -> Result<Self, &'static str> {
        let key = match PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| "not a PEM key")? {
            PrivateKeyDer::Pkcs8(der) => rsa::KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => rsa::KeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err("not an RSA key"),
        };
        key.map(Self::Rs256).map_err(|_| "not an RSA key of 2048 bits or more")
    }

    /// `header.claims.signature`, each base64url without padding. Fails only without randomness.
    pub fn sign(&self, key_id: &str, claims: &Value) -> Result<String, ring::error::Unspecified> {
        let alg = match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        };
        let header = json!({ "alg": alg, "kid": key_id, "typ": "JWT" });
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Es256(key) => key.sign(&random, token.as_bytes())?.as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature)?;
                signature
            }
        };
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

/// Seconds since 1970, UTC.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{KeyPair, PublicKeyData};
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    fn check(pem: &str, public: &[u8]) {
        let claims = json!({ "iss": "TEAM", "iat": 1 });
        let token = SigningKey::es256(pem).unwrap().sign("KEY", &claims).unwrap();
        let parts: Vec<_> = token.split('.').collect();
        let decoded = |i: usize| URL_SAFE_NO_PAD.decode(parts[i]).unwrap();
        assert_eq!(parts.len(), 3);
        assert_eq!(serde_json::from_slice::<Value>(&decoded(0)).unwrap()["alg"], "ES256");
        assert_eq!(serde_json::from_slice::<Value>(&decoded(0)).unwrap()["kid"], "KEY");
        assert_eq!(serde_json::from_slice::<Value>(&decoded(1)).unwrap(), claims);
        assert_eq!(decoded(2).len(), 64);
        let signed = token.rsplit_once('.').unwrap().0;
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
            .verify(signed.as_bytes(), &decoded(2))
            .unwrap();
    }

    #[test]
    fn a_provider_token_is_base64url_and_verifies() {
        let key = KeyPair::generate().unwrap();
        check(&key.serialize_pem(), key.der_bytes());
    }

    /// Apple's files name the curve a second time inside the key; ours above do not.
    #[test]
    fn a_key_in_apples_shape_is_read() {
        let key = KeyPair::generate().unwrap();
        let der = key.serialize_der();
        assert_eq!((der.len(), &der[27..31]), (138, &[4, 0x6d, 0x30, 0x6b][..]));
        let curve = [0xa0, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
        let mut apples = der[..68].to_vec();
        apples.extend(curve);
        apples.extend(&der[68..]);
        for length in [2, 28, 30] {
            apples[length] += u8::try_from(curve.len()).unwrap();
        }
        let body = base64::engine::general_purpose::STANDARD.encode(apples);
        assert!(body.starts_with("MIGTAgEAMBMG"), "as every AuthKey_….p8 begins");
        check(&format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n"), key.der_bytes());
    }

    #[test]
    fn a_key_of_another_kind_is_told() {
        let ed = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
        assert_eq!(SigningKey::es256(&ed).err(), Some("not a P-256 key"));
        assert_eq!(SigningKey::es256("nothing").err(), Some("not a PKCS#8 PEM"));
        assert_eq!(SigningKey::rs256("nothing").err(), Some("not a PEM key"));
        assert_eq!(SigningKey::rs256(&ed).err(), Some("not an RSA key of 2048 bits or more"));
    }
}
