// Changing the text of a post that has not left yet, and its mark where the town has one or it is to be taken off. What
// was typed does not go by a slip of the finger.

import RenrakuCore
import SwiftUI

struct EditView: View {
    @ObservedObject var work: WorkModel
    /// As it was opened: shown while the sheet goes.
    let opened: Editing
    @State private var asking = false

    var body: some View {
        VStack {
            TextEditor(text: field(\.body)).accessibilityLabel("本文")
            if work.town.urgentFlag || editing.item.urgent {
                Toggle("緊急（重要）", isOn: field(\.urgent)).frame(minHeight: 48)
            }
        }
        .padding()
        .disabled(editing.saving)
        .safeAreaInset(edge: .bottom) {
            BottomBar(trouble: editing.trouble) {
                if !editing.hasLeft {
                    BigButton(title: "保存する") { Task { await work.edit() } }
                        .disabled(!editing.isChanged || editing.saving)
                }
                BigButton(title: editing.hasLeft ? "閉じる" : "やめる", prominent: false) {
                    if editing.isChanged { asking = true } else { work.dropEdit() }
                }
                .disabled(editing.saving)
                .confirmationDialog("直した内容を捨てますか。", isPresented: $asking, titleVisibility: .visible) {
                    Button("捨てる", role: .destructive) { work.dropEdit() }
                    Button("続ける", role: .cancel) {}
                }
            }
        }
        .interactiveDismissDisabled(editing.isChanged || editing.saving)
    }

    private var editing: Editing { work.editing ?? opened }

    private func field<Value>(_ part: WritableKeyPath<Editing, Value>) -> Binding<Value> {
        Binding(get: { editing[keyPath: part] }, set: { value in work.changeEdit { $0[keyPath: part] = value } })
    }
}
