// A photo or film of the post that is being written: what it shows, what of it is covered, and the way to remove it.

import RenrakuCore
import SwiftUI

struct ShotRow: View {
    let shot: Shot
    let onMark: () -> Void
    let onSound: (Bool) -> Void
    let onRemove: () -> Void
    @State private var small: UIImage?
    @State private var asking = false

    var body: some View {
        HStack {
            if shot.isVideo {
                Label("動画", systemImage: "video")
            } else if let small {
                photo(small)
            } else {
                Label("写真", systemImage: "photo")
            }
            Spacer()
            if shot.isVideo {
                // The voices of a room are personal data, too.
                Toggle("音声", isOn: Binding(get: { shot.sound }, set: onSound)).fixedSize().frame(minHeight: 48)
            } else {
                Button(action: onMark) {
                    Text(shot.marks.isEmpty ? "隠す" : "隠す（\(shot.marks.count)）").frame(minWidth: 48, minHeight: 48)
                }
                .buttonStyle(.borderless)
                .accessibilityHint("写真の、写してはいけないところを隠します")
            }
            Button { asking = true } label: { Image(systemName: "trash").frame(width: 48, height: 48) }
                .buttonStyle(.borderless)
                .accessibilityLabel("削除")
                .confirmationDialog(
                    shot.isVideo ? "この動画を削除しますか。元には戻せません。" : "この写真を削除しますか。元には戻せません。",
                    isPresented: $asking, titleVisibility: .visible
                ) {
                    Button("削除する", role: .destructive, action: onRemove)
                    Button("やめる", role: .cancel) {}
                }
        }
        .task(id: shot.id) {
            if !shot.isVideo { small = await Pictures.upright(shot.file, longest: 360) }
        }
    }

    private func photo(_ picture: UIImage) -> some View {
        Image(uiImage: picture)
            .resizable()
            .scaledToFit()
            .overlay {
                GeometryReader { space in
                    let marking = Marking(picture: picture.size, view: space.size)
                    ZStack(alignment: .topLeading) {
                        ForEach(Array(shot.marks.enumerated()), id: \.offset) { _, mark in
                            Covering(mark: mark).placed(at: marking.area(mark))
                        }
                    }
                }
            }
            .frame(maxWidth: 120, maxHeight: 120)
            .accessibilityElement()
            .accessibilityLabel(shot.marks.isEmpty ? "写真" : "写真（隠すところ \(shot.marks.count)か所）")
    }
}
