//! The public key in the two shapes that platforms give, brought to one. Not here: any signing.

use super::KeyError;

/// Length of an uncompressed point on P-256.
pub(super) const POINT: usize = 65;

/// SubjectPublicKeyInfo of a P-256 key up to the point (RFC 5480): `id-ecPublicKey`, `prime256v1`.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The uncompressed SEC1 point, from itself or from a SubjectPublicKeyInfo.
pub(super) fn sec1(public_key: &[u8]) -> Result<[u8; POINT], KeyError> {
    let point = public_key.strip_prefix(&SPKI_HEAD).unwrap_or(public_key);
    match <[u8; POINT]>::try_from(point) {
        Ok(point) if point[0] == 0x04 => Ok(point),
        _ => Err(KeyError::Failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::PublicKeyData;

    #[test]
    fn both_shapes_give_the_same_point() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let raw = sec1(key.public_key_raw()).unwrap();
        assert_eq!(sec1(&key.subject_public_key_info()).unwrap(), raw);
    }

    #[test]
    fn another_curve_or_a_compressed_point_is_refused() {
        let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        assert_eq!(sec1(&p384.subject_public_key_info()), Err(KeyError::Failed));
        assert_eq!(sec1(&[2; 33]), Err(KeyError::Failed));
        assert_eq!(sec1(&[2; 65]), Err(KeyError::Failed));
        assert_eq!(sec1(&[]), Err(KeyError::Failed));
    }
}
