// Covers the screen while the app is not in front: the app switcher shows a blank page.
// A window of its own, because a cover inside SwiftUI lies under sheets and the camera.

import UIKit

@MainActor
final class PrivacyShade {
    private var window: UIWindow?

    func show() {
        guard window == nil, let scene = scene() else { return }
        let shade = UIWindow(windowScene: scene)
        shade.windowLevel = .alert + 1
        let page = UIViewController()
        page.view.backgroundColor = .systemBackground
        let name = UILabel()
        name.text = "連絡"
        name.font = .preferredFont(forTextStyle: .largeTitle)
        name.translatesAutoresizingMaskIntoConstraints = false
        page.view.addSubview(name)
        NSLayoutConstraint.activate([
            name.centerXAnchor.constraint(equalTo: page.view.centerXAnchor),
            name.centerYAnchor.constraint(equalTo: page.view.centerYAnchor),
        ])
        shade.rootViewController = page
        shade.isHidden = false
        window = shade
    }

    func hide() {
        window?.isHidden = true
        window = nil
    }

    private func scene() -> UIWindowScene? {
        UIApplication.shared.connectedScenes.compactMap { $0 as? UIWindowScene }.first
    }
}
