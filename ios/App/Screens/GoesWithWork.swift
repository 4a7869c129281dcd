// What covers the screens of the work goes when the work ends: a full-screen cover or a sheet may outlive the screen
// that it covers, and would show a patient to whoever holds the phone.

import SwiftUI

private struct GoesWithWork: ViewModifier {
    @ObservedObject var work: WorkModel
    @Environment(\.dismiss) private var dismiss

    func body(content: Content) -> some View {
        Group {
            if work.closed { Color.clear } else { content }
        }
        .onChange(of: work.closed) { if $0 { dismiss() } }
    }
}

extension View {
    func goes(with work: WorkModel) -> some View {
        modifier(GoesWithWork(work: work))
    }
}
