//! A consent's scan that nobody signed: one page of PDF, made here so that no file has to be shipped.

use std::fmt::Write as _;

/// A one-page PDF that says what it is.
#[must_use]
pub fn pdf() -> Vec<u8> {
    let text = "BT /F1 20 Tf 72 740 Td (Consent form - sample) Tj \
                0 -36 Td /F1 12 Tf (Made for the demo town. Nobody was asked, nobody signed.) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut file = "%PDF-1.4\n".to_owned();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(file.len());
        let _ = write!(file, "{} 0 obj\n{object}\nendobj\n", number + 1);
    }
    let index = file.len();
    let _ = write!(file, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(file, "{place:010} 00000 n ");
    }
    let size = objects.len() + 1;
    let _ = write!(file, "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{index}\n%%EOF\n");
    file.into_bytes()
}

#[cfg(test)]
mod tests {
    use renraku_media::document::{DocumentKind, verify};

    #[test]
    fn it_is_a_document_that_the_server_takes() {
        let file = super::pdf();
        assert_eq!(verify(&file, 16 * 1024), Ok(DocumentKind::Pdf));
        let text = String::from_utf8(file).expect("ASCII");
        let index: usize =
            text.rsplit("startxref\n").next().and_then(|t| t.lines().next()?.parse().ok()).expect("a place");
        assert!(text[index..].starts_with("xref\n0 6\n"));
        let third: usize =
            text[index..].lines().nth(5).and_then(|l| l.get(..10)?.parse().ok()).expect("a place");
        assert!(text[third..].starts_with("3 0 obj"));
    }
}
