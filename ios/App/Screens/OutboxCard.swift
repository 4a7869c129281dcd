// One post on its way from this device, and what may still be done about it.

import RenrakuCore
import SwiftUI

struct OutboxCard: View {
    @ObservedObject var work: WorkModel
    let item: Item
    @State private var asking = false

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Label(Words.state(item.state), systemImage: "tray.and.arrow.up").foregroundColor(color)
            if item.urgent { Text("緊急（重要）").bold().foregroundColor(.red) }
            if !item.body.isEmpty { Text(item.body) }
            ForEach(item.media, id: \.id) { media in
                if media.state == .made {
                    ProgressView(value: Double(media.uploaded), total: Double(max(media.length, 1))) {
                        Text(Words.file(media)).font(.caption)
                    }
                } else {
                    Text(Words.file(media)).font(.caption)
                }
            }
            if changeable {
                HStack {
                    if item.state != .waiting {
                        Button("送信する") { Task { await work.release(item) } }
                    }
                    Button("直す") { Task { await work.beginEdit(item) } }
                    Button("取り消す", role: .destructive) { asking = true }
                        .confirmationDialog(question, isPresented: $asking, titleVisibility: .visible) {
                            Button("取り消す", role: .destructive) { Task { await work.takeBack(item) } }
                            Button("やめる", role: .cancel) {}
                        }
                }
                .buttonStyle(.bordered)
                .controlSize(.large)
            }
        }
        .padding(.vertical, 8)
    }

    private var question: String {
        item.media.isEmpty
            ? "この\(work.town.wordPost)を取り消しますか。元には戻せません。"
            : "この\(work.town.wordPost)を、写真・動画と一緒に取り消しますか。元には戻せません。"
    }

    private var changeable: Bool {
        switch item.state {
        case .draft, .waiting, .failed: return true
        case .sending, .sent: return false
        }
    }

    private var color: Color {
        if case .failed = item.state { return .red }
        return .secondary
    }
}
