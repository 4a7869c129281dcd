//! The exported surface, listed from the sources and compared with `surface.txt`, so that a change of what
//! shells compile against is seen and reviewed. `RENRAKU_UPDATE_SURFACE=1 cargo test -p renraku-mobile`
//! writes it anew. Also: nothing is exported without a comment, and the comments tell what a shell must know of
//! errors, threads and units.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use quote::ToTokens;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use syn::{
    Attribute, Expr, Fields, FnArg, ImplItem, Item, Lit, Meta, MetaNameValue, Signature, TraitItem,
    Visibility,
};

/// The listing, the exported things that no comment explains, and what comments do not tell that they must.
#[derive(Default)]
struct Surface {
    entries: Vec<String>,
    bare: Vec<String>,
    untold: Vec<String>,
}

/// One of these says what a number counts or measures.
const UNITS: [&str; 22] = [
    "byte",
    "pixel",
    "second",
    "character",
    "share",
    "year",
    "tries",
    "pins",
    "how many",
    "how often",
    "posts",
    "files",
    "items",
    "exif",
    "0 to 1",
    "hour",
    "day",
    "width",
    "degree",
    "minute",
    "percent",
    "quality",
];

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(sources(&path)) } else { found.push(path) }
    }
    found
}

fn text(tokens: impl ToTokens) -> String {
    let spaced = tokens.to_token_stream().to_string();
    let mut tight = spaced;
    for (from, to) in [
        (" < ", "<"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" :: ", "::"),
        (" , ", ", "),
        (" ,", ","),
        (" : ", ": "),
        (" (", "("),
        ("& ", "&"),
        ("- >", "->"),
        ("->", " -> "),
        ("  ", " "),
        ("  ", " "),
        ("> (", ">("),
        ("( ", "("),
        (" )", ")"),
    ] {
        tight = tight.replace(from, to);
    }
    tight
}

fn mentions(attributes: &[Attribute], what: &str) -> bool {
    attributes.iter().any(|a| text(a).contains(what))
}

/// What a shell may leave out, and what stands for it then: `#[uniffi(default = …)]`, `#[uniffi::method(default(…))]`.
fn defaults(attributes: &[Attribute]) -> String {
    let named = attributes.iter().filter(|a| a.path().segments.first().is_some_and(|s| s.ident == "uniffi"));
    let told = named.map(text).filter(|told| told.contains("default"));
    told.map(|told| format!(" {}", told.replace("# [", "#["))).collect()
}

fn documented(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| a.path().is_ident("doc"))
}

/// What the comment says, on one line, in small letters.
fn said(attributes: &[Attribute]) -> String {
    let mut lines = String::new();
    for attribute in attributes {
        if let Meta::NameValue(MetaNameValue { path, value: Expr::Lit(line), .. }) = &attribute.meta
            && path.is_ident("doc")
            && let Lit::Str(line) = &line.lit
        {
            lines += line.value().trim();
            lines.push(' ');
        }
    }
    lines.to_lowercase()
}

/// What every instant says: in the shells it is a bare number.
const SINCE: &str = "milliseconds since 1970";

fn is_instant(of: impl ToTokens) -> bool {
    text(of).split(|c: char| !c.is_alphanumeric()).any(|word| word == "Timestamp")
}

/// Whether a comment lacks the unit of something of this type.
fn lacks_unit(of: impl ToTokens, said: &str) -> bool {
    let of = of.to_token_stream();
    is_number(of.clone()) && !UNITS.iter().any(|unit| said.contains(unit))
        || is_instant(of) && !said.contains(SINCE)
}

fn is_number(of: impl ToTokens) -> bool {
    let numbers = ["u8", "u16", "u32", "u64", "i32", "i64", "f32", "f64"];
    let shape = text(of).replace("Vec<u8>", "");
    shape.split(|c: char| !c.is_alphanumeric()).any(|word| numbers.contains(&word))
}

impl Surface {
    /// What a comment of a call tells, beside what the call is for.
    fn call(&mut self, attributes: &[Attribute], owner: &str, signature: &Signature) {
        let (said, name) = (said(attributes), format!("{owner}{}", signature.ident));
        let mut must = |is: bool, what: &str| {
            if !is {
                self.untold.push(format!("{name}: {what}"));
            }
        };
        let fails = text(&signature.output).contains("Result");
        let tells_of_errors =
            said.contains("fails with") || said.contains("fails as") || said.contains("never fails");
        must(!fails || tells_of_errors, "with what it fails, or that it never does");
        let waits = signature.asyncness.is_some();
        must(
            waits || said.contains("returns at once"),
            "that it returns at once, or on which thread it works",
        );
        must(!lacks_unit(&signature.output, &said), "the unit of what it gives");
        for input in &signature.inputs {
            if let FnArg::Typed(typed) = input
                && (is_number(&typed.ty) || is_instant(&typed.ty))
            {
                let named = said.contains(&format!("`{}`", text(&typed.pat)));
                must(named && !lacks_unit(&typed.ty, &said), &format!("the unit of {}", text(&typed.pat)));
            }
        }
    }

    fn note(&mut self, attributes: &[Attribute], name: &str) {
        if !documented(attributes) {
            self.bare.push(name.to_owned());
        }
    }

    /// From which thread calls come, in or out.
    fn threads(&mut self, attributes: &[Attribute], name: &str) {
        if !said(attributes).contains("thread") {
            self.untold.push(format!("{name}: threads"));
        }
    }

    fn signature(signature: &Signature) -> String {
        let inputs: Vec<String> = signature
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Receiver(_) => None,
                FnArg::Typed(typed) => Some(text(typed)),
            })
            .collect();
        let wait = if signature.asyncness.is_some() { "async " } else { "" };
        format!("{wait}fn {}({}){}", signature.ident, inputs.join(", "), text(&signature.output).trim_end())
    }

    fn fields(&mut self, owner: &str, fields: &Fields) -> String {
        let mut listed = String::new();
        for field in fields {
            let name = field.ident.as_ref().unwrap().to_string();
            self.note(&field.attrs, &format!("{owner}.{name}"));
            let said = said(&field.attrs);
            if lacks_unit(&field.ty, &said) {
                self.untold.push(format!("{owner}.{name}: its unit"));
            }
            write!(listed, "\n  {name}: {}{}", text(&field.ty), defaults(&field.attrs)).unwrap();
        }
        listed
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Struct(item) if mentions(&item.attrs, "Object") => {
                self.note(&item.attrs, &item.ident.to_string());
                self.threads(&item.attrs, &item.ident.to_string());
                self.entries.push(format!("object {}", item.ident));
            }
            Item::Struct(item) if mentions(&item.attrs, "uniffi") => {
                self.note(&item.attrs, &item.ident.to_string());
                let fields = self.fields(&item.ident.to_string(), &item.fields);
                self.entries.push(format!("record {}{fields}", item.ident));
            }
            Item::Enum(item) if mentions(&item.attrs, "uniffi") => {
                let kind = if mentions(&item.attrs, "uniffi::Error") { "error" } else { "choice" };
                self.note(&item.attrs, &item.ident.to_string());
                let mut entry = format!("{kind} {}", item.ident);
                for variant in &item.variants {
                    let name = format!("{}.{}", item.ident, variant.ident);
                    self.note(&variant.attrs, &name);
                    let fields = self.fields(&name, &variant.fields).replace("\n  ", "\n    ");
                    write!(entry, "\n  {}{fields}", variant.ident).unwrap();
                }
                self.entries.push(entry);
            }
            Item::Trait(item) if mentions(&item.attrs, "uniffi") => {
                self.note(&item.attrs, &item.ident.to_string());
                self.threads(&item.attrs, &item.ident.to_string());
                let mut entry = format!("brought by the shell {}", item.ident);
                for member in &item.items {
                    let TraitItem::Fn(function) = member else { continue };
                    self.note(&function.attrs, &format!("{}.{}", item.ident, function.sig.ident));
                    write!(entry, "\n  {}", Self::signature(&function.sig)).unwrap();
                }
                self.entries.push(entry);
            }
            Item::Impl(item) if mentions(&item.attrs, "uniffi") => {
                let owner = text(&item.self_ty);
                let mut entry = format!("calls of {owner}");
                for member in &item.items {
                    let ImplItem::Fn(function) = member else { continue };
                    if !matches!(function.vis, Visibility::Public(_)) {
                        continue;
                    }
                    self.note(&function.attrs, &format!("{owner}.{}", function.sig.ident));
                    self.call(&function.attrs, &format!("{owner}."), &function.sig);
                    let make = if mentions(&function.attrs, "constructor") { "make " } else { "" };
                    let call = Self::signature(&function.sig);
                    write!(entry, "\n  {make}{call}{}", defaults(&function.attrs)).unwrap();
                }
                self.entries.push(entry);
            }
            Item::Fn(item) if mentions(&item.attrs, "uniffi") => {
                self.note(&item.attrs, &item.sig.ident.to_string());
                self.call(&item.attrs, "", &item.sig);
                self.entries.push(Self::signature(&item.sig) + &defaults(&item.attrs));
            }
            Item::Macro(item) if mentions_type(&item.mac.path) => {
                let tokens = text(&item.mac.tokens);
                let named = tokens.split('{').next().unwrap_or_default().trim_end_matches([',', ' ']);
                let ids = if item.mac.path.is_ident("ids") { " as String" } else { "" };
                self.entries.push(format!("crosses {named}{ids}"));
            }
            _ => {}
        }
    }
}

fn mentions_type(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|s| s.ident == "ids" || s.ident == "custom_type")
}

fn surface() -> Surface {
    let mut surface = Surface::default();
    for path in sources(&folder().join("src")) {
        let source = std::fs::read_to_string(&path).unwrap();
        for item in syn::parse_file(&source).unwrap().items {
            surface.item(item);
        }
    }
    surface.entries.sort();
    surface
}

#[test]
fn is_as_it_was_reviewed() {
    let listed = surface().entries.join("\n\n") + "\n";
    let file = folder().join("surface.txt");
    if std::env::var_os("RENRAKU_UPDATE_SURFACE").is_some() {
        std::fs::write(&file, &listed).unwrap();
    }
    let reviewed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        listed == reviewed,
        "what shells compile against has changed; if that is meant, run \
         RENRAKU_UPDATE_SURFACE=1 cargo test -p renraku-mobile and review surface.txt\n{listed}"
    );
}

#[test]
fn is_explained_to_the_last_item() {
    assert_eq!(surface().bare, Vec::<String>::new());
}

#[test]
fn tells_errors_threads_and_units() {
    assert_eq!(surface().untold, Vec::<String>::new());
    // The proof that this test can fail.
    let bare: syn::ItemImpl = syn::parse_quote! {
        #[uniffi::export]
        impl Bare {
            /// Waits.
            pub async fn wait(&self, patience: u32) -> Result<u64, MobileError> {}
            /// Waits until `then`, a day. Never fails.
            pub async fn wait_until(&self, then: Timestamp) -> Result<(), MobileError> {}
            /// Looks.
            pub fn look(&self) {}
        }
    };
    let record: syn::ItemStruct = syn::parse_quote! {
        /// A thing.
        #[derive(uniffi::Record)]
        pub struct Thing {
            /// How long.
            pub length: Option<u32>,
            /// In bytes.
            pub size: u64,
            /// When it was made, today, in seconds.
            pub made_at: Option<Timestamp>,
            /// When it was seen, in milliseconds since 1970 (UTC).
            pub seen_at: Timestamp,
            /// An icon.
            pub icon: Vec<u8>,
        }
    };
    let mut surface = Surface::default();
    surface.item(Item::Impl(bare));
    surface.item(Item::Struct(record));
    assert_eq!(surface.untold.len(), 7, "{:?}", surface.untold);
}

#[test]
fn what_may_be_left_out_is_listed() {
    let listed = surface().entries.join("\n");
    for default in
        ["sound: bool #[uniffi", "hand_over: bool #[uniffi", "-> Result<PrepareReport, MobileError> #[uniffi"]
    {
        assert!(listed.contains(default), "{default}");
    }
}

#[test]
fn no_error_has_a_field_that_kotlin_exceptions_have() {
    for entry in surface().entries.iter().filter(|e| e.starts_with("error ")) {
        for word in ["message:", "cause:"] {
            assert!(!entry.contains(word), "{entry}");
        }
    }
}
