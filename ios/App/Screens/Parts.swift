// The few parts that every screen is made of. Touch targets are at least 48 points high, main actions stand
// at the bottom within the thumb's reach, and nothing is smaller than the text size that the person chose.

import RenrakuCore
import SwiftUI

/// A main action across the width.
struct BigButton: View {
    let title: String
    var symbol: String?
    var prominent = true
    let action: () -> Void

    var body: some View {
        if prominent {
            button.buttonStyle(.borderedProminent)
        } else {
            button.buttonStyle(.bordered)
        }
    }

    private var button: some View {
        Button(action: action) {
            HStack {
                if let symbol { Image(systemName: symbol).accessibilityHidden(true) }
                Text(title).fontWeight(.semibold)
            }
            .frame(maxWidth: .infinity, minHeight: 44)
        }
        .controlSize(.large)
    }
}

/// The lower third of a screen: what went wrong or was done, which is said aloud too, and the main actions.
struct BottomBar<Actions: View>: View {
    let trouble: String?
    var done: String?
    @ViewBuilder let actions: Actions

    var body: some View {
        VStack(spacing: 12) {
            if let trouble {
                Label(trouble, systemImage: "exclamationmark.triangle.fill")
                    .foregroundColor(.red)
                    .frame(maxWidth: .infinity, alignment: .leading)
            }
            if let done {
                Label(done, systemImage: "checkmark.circle.fill")
                    .frame(maxWidth: .infinity, alignment: .leading)
            }
            actions
        }
        .padding()
        .background(.bar)
        .onAppear {
            announce(trouble)
            announce(done)
        }
        .onChange(of: trouble) { announce($0) }
        .onChange(of: done) { announce($0) }
    }

    @MainActor private func announce(_ sentence: String?) {
        if let sentence { UIAccessibility.post(notification: .announcement, argument: sentence) }
    }
}

/// A line of input with its name above it, so that the name stays when something is typed.
struct Field: View {
    let name: String
    @Binding var text: String
    var secret = false
    var keyboard = UIKeyboardType.asciiCapable

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            Text(name).font(.subheadline)
            Group {
                if secret {
                    SecureField(name, text: $text)
                } else {
                    TextField(name, text: $text).keyboardType(keyboard)
                }
            }
            .textInputAutocapitalization(.never)
            .autocorrectionDisabled()
            .frame(minHeight: 48)
        }
    }
}

/// Says that the screen shows what was known last.
struct StaleBanner: View {
    let stale: Bool
    let seenAt: Timestamp?

    var body: some View {
        if stale {
            Label(Words.stale(seenAt), systemImage: "wifi.slash")
                .font(.subheadline)
                .foregroundColor(.orange)
        }
    }
}
