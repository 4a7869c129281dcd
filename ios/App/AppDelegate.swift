// What only UIKit tells: the push token, pushes, leaving and returning. Hands everything to AppModel.

import UIKit
import UserNotifications

@MainActor
final class AppDelegate: NSObject, UIApplicationDelegate, UNUserNotificationCenterDelegate {
    private weak var model: AppModel?
    private var early: [(AppModel) async -> Void] = []
    private let shade = PrivacyShade()

    /// Hands over what came before the model was there.
    func attach(_ model: AppModel) {
        self.model = model
        let waiting = early
        early = []
        Task { for hand in waiting { await hand(model) } }
    }

    /// Asks iOS for some seconds after leaving, to keep what is being written and to let a post go that is on its way.
    func finishSending() {
        guard let work = model?.work else { return }
        let app = UIApplication.shared
        var task = UIBackgroundTaskIdentifier.invalid
        let end = {
            guard task != .invalid else { return }
            app.endBackgroundTask(task)
            task = .invalid
        }
        // iOS ends the app when the task is not ended before this returns.
        task = app.beginBackgroundTask(withName: "sending") {
            work.stopSending()
            end()
        }
        Task {
            await work.keepSketch()
            await work.finishSending()
            end()
        }
    }

    func application(
        _ application: UIApplication,
        didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]? = nil
    ) -> Bool {
        // Once for each run: what is being written now must not go when the window comes back.
        Places.sweep()
        let center = UNUserNotificationCenter.current()
        center.delegate = self
        center.requestAuthorization(options: [.alert, .sound, .badge]) { _, _ in }
        application.registerForRemoteNotifications()
        let notices = NotificationCenter.default
        notices.addObserver(
            self, selector: #selector(leaves), name: UIApplication.willResignActiveNotification, object: nil)
        notices.addObserver(
            self, selector: #selector(returns), name: UIApplication.didBecomeActiveNotification, object: nil)
        return true
    }

    @objc private func leaves() {
        shade.show()
    }

    @objc private func returns() {
        shade.hide()
    }

    func application(
        _ application: UIApplication, didRegisterForRemoteNotificationsWithDeviceToken token: Data
    ) {
        let digits = token.map { String(format: "%02x", $0) }.joined()
        hand { await $0.havePushToken(digits) }
    }

    // Without a token there are no pushes: the app catches up whenever it comes to the front.
    func application(
        _ application: UIApplication, didFailToRegisterForRemoteNotificationsWithError error: Error
    ) {}

    func userNotificationCenter(
        _ center: UNUserNotificationCenter, willPresent notification: UNNotification
    ) async -> UNNotificationPresentationOptions {
        guard model?.work != nil, let payload = Self.payload(notification) else { return [.banner, .sound] }
        await model?.pushArrived(payload)
        return [.sound]
    }

    func userNotificationCenter(
        _ center: UNUserNotificationCenter, didReceive response: UNNotificationResponse
    ) async {
        guard let payload = Self.payload(response.notification) else { return }
        hand { await $0.pushOpened(payload) }
    }

    private func hand(_ what: @escaping (AppModel) async -> Void) {
        guard let model else {
            early.append(what)
            return
        }
        Task { await what(model) }
    }

    private static func payload(_ notification: UNNotification) -> String? {
        let info = notification.request.content.userInfo
        guard JSONSerialization.isValidJSONObject(info),
              let data = try? JSONSerialization.data(withJSONObject: info)
        else { return nil }
        return String(data: data, encoding: .utf8)
    }
}
