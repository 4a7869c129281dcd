//! The exported surface, listed from the sources and compared with `surface.txt`, so that a change of what
//! shells compile against is seen and reviewed. `RENRAKU_UPDATE_SURFACE=1 cargo test -p renraku-mobile`
//! writes it anew. Also: nothing is exported without a comment.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use quote::ToTokens;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use syn::{Attribute, Fields, FnArg, ImplItem, Item, Signature, TraitItem, Visibility};

/// The listing, and the exported things that no comment explains.
#[derive(Default)]
struct Surface {
    entries: Vec<String>,
    bare: Vec<String>,
}

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

fn documented(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|a| a.path().is_ident("doc"))
}

impl Surface {
    fn note(&mut self, attributes: &[Attribute], name: &str) {
        if !documented(attributes) {
            self.bare.push(name.to_owned());
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
            write!(listed, "\n  {name}: {}", text(&field.ty)).unwrap();
        }
        listed
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Struct(item) if mentions(&item.attrs, "Object") => {
                self.note(&item.attrs, &item.ident.to_string());
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
                    let make = if mentions(&function.attrs, "constructor") { "make " } else { "" };
                    write!(entry, "\n  {make}{}", Self::signature(&function.sig)).unwrap();
                }
                self.entries.push(entry);
            }
            Item::Fn(item) if mentions(&item.attrs, "uniffi") => {
                self.note(&item.attrs, &item.sig.ident.to_string());
                self.entries.push(Self::signature(&item.sig));
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
fn no_error_has_a_field_that_kotlin_exceptions_have() {
    for entry in surface().entries.iter().filter(|e| e.starts_with("error ")) {
        for word in ["message:", "cause:"] {
            assert!(!entry.contains(word), "{entry}");
        }
    }
}
