// What guards this device: the PIN on the way in, and where PIN, face or finger and the certificate are seen to.

import SwiftUI

struct PinView: View {
    @ObservedObject var model: AppModel
    @State private var pin = ""

    var body: some View {
        NavigationStack {
            Form {
                Text("続けて10回まちがえると、この方の保存データは端末から消えます。")
                Field(name: "PIN", text: $pin, secret: true)
            }
            .navigationTitle("\(model.asked?.name ?? "") さんのPIN")
            .safeAreaInset(edge: .bottom) {
                BottomBar(trouble: model.trouble, done: model.done) {
                    BigButton(title: "開く", symbol: "lock.open") {
                        let secret = pin
                        pin = ""
                        Task { await model.unlock(pin: secret) }
                    }
                    .disabled(pin.isEmpty)
                    if let person = model.asked, model.lock?.biometrics == true, model.canRecognise {
                        BigButton(title: "顔・指紋で開く", symbol: "faceid", prominent: false) {
                            Task { await model.resume(person) }
                        }
                    }
                    BigButton(title: "やめる", prominent: false) { Task { await model.unask() } }
                }
            }
        }
    }
}

struct SafetyView: View {
    @ObservedObject var model: AppModel
    @State private var current = ""
    @State private var pin = ""
    @State private var again = ""

    private var hasPin: Bool { model.lock?.pin == true }

    var body: some View {
        Form {
            Section("PIN") {
                if hasPin { Field(name: "今のPIN", text: $current, secret: true) }
                Text("6文字以上。同じ数字の繰り返しや 123456 のような並びは使えません。").font(.subheadline)
                Field(name: "新しいPIN", text: $pin, secret: true)
                Field(name: "新しいPIN（もう一度）", text: $again, secret: true)
            }
            if hasPin {
                Section("顔・指紋") {
                    if model.lock?.biometrics == true {
                        Button("顔・指紋では開かない") { Task { await model.dropBiometrics() } }.frame(minHeight: 48)
                    } else if model.canRecognise {
                        Button("顔・指紋でも開く（今のPINを入力）") {
                            let secret = current
                            current = ""
                            Task { await model.useBiometrics(pin: secret) }
                        }
                        .disabled(current.isEmpty)
                        .frame(minHeight: 48)
                    } else {
                        Text("この端末では、顔・指紋を使えません。")
                    }
                }
            }
            if model.renewalDue {
                Section("この端末の証明書の期限が近づいています") {
                    Button("証明書を更新する") { Task { await model.renew() } }.frame(minHeight: 48)
                }
            }
        }
        .navigationTitle("この端末の安全")
        .safeAreaInset(edge: .bottom) {
            BottomBar(trouble: model.trouble, done: model.done) {
                BigButton(title: hasPin ? "PINを変更する" : "PINを設定する", symbol: "lock") {
                    let (old, new, repeated) = (hasPin ? current : nil, pin, again)
                    (current, pin, again) = ("", "", "")
                    Task { await model.setPin(current: old, pin: new, again: repeated) }
                }
                .disabled(model.lock == nil || pin.isEmpty || again.isEmpty || (hasPin && current.isEmpty))
            }
        }
    }
}
