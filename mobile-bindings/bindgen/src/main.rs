//! Writes the Kotlin and Swift bindings from the built library: `make bindings`.
fn main() {
    uniffi::uniffi_bindgen_main()
}
