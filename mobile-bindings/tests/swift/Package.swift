// swift-tools-version:6.0
// What the shells' Swift is made of, without Xcode. `tests/tests/shells/swift.rs` puts the folders together under
// the build's folder: the bindings, the app's models (ios/App/Model, ios/Tests), and what stands beside this file.

import PackageDescription

// The generated half is Swift 5; so are the apps.
let swift5: [SwiftSetting] = [.swiftLanguageMode(.v5)]
#if os(Linux)
let combine: [Target.Dependency] = ["Combine"]
let standIns: [Target] = [.target(name: "Combine", swiftSettings: swift5)]
#else
let combine: [Target.Dependency] = []
let standIns: [Target] = []
#endif

let package = Package(
    name: "RenrakuShell",
    platforms: [.macOS(.v13)],
    targets: standIns + [
        .systemLibrary(name: "RenrakuCoreFFI"),
        .target(
            name: "RenrakuCore", dependencies: ["RenrakuCoreFFI"], swiftSettings: swift5,
            linkerSettings: [.linkedLibrary("renraku_mobile")]),
        .target(name: "Renraku", dependencies: ["RenrakuCore"] + combine, swiftSettings: swift5),
        .target(name: "Phone", dependencies: ["RenrakuCore"], swiftSettings: swift5),
        .executableTarget(name: "Victim", dependencies: ["Phone", "RenrakuCore"], swiftSettings: swift5),
        .testTarget(name: "PhoneTests", dependencies: ["Phone", "RenrakuCore"], swiftSettings: swift5),
        .testTarget(name: "ModelTests", dependencies: ["Renraku", "RenrakuCore"], swiftSettings: swift5),
    ]
)
