// A picture or film in a post: small in the timeline, large when touched. The large file lies in the clear
// only while it is shown.

import AVKit
import RenrakuCore
import SwiftUI

struct MediaTile: View {
    @ObservedObject var work: WorkModel
    let media: Media
    @State private var small: UIImage?
    @State private var large = false

    var body: some View {
        Button { large = true } label: {
            ZStack {
                if let small {
                    Image(uiImage: small).resizable().scaledToFit()
                } else {
                    Label(placeholder, systemImage: "photo").frame(maxWidth: .infinity, minHeight: 120)
                }
                if media.kind == .video { Image(systemName: "play.circle.fill").font(.largeTitle) }
            }
            .frame(maxHeight: 280)
        }
        .buttonStyle(.borderless)
        .disabled(media.state != .ready)
        .accessibilityLabel(media.description.isEmpty ? placeholder : media.description)
        .task(id: media.state) {
            guard small == nil, media.state == .ready, media.kind != .document else { return }
            small = await work.thumbnail(media.id).flatMap(UIImage.init(data:))
        }
        .fullScreenCover(isPresented: $large) { MediaView(work: work, media: media).goes(with: work) }
    }

    private var placeholder: String {
        switch media.state {
        case .pending: return "まだ届いていません"
        case .refused: return "受け付けられませんでした"
        case .ready, .unknown: return media.kind == .video ? "動画" : "写真"
        }
    }
}

private struct MediaView: View {
    @ObservedObject var work: WorkModel
    let media: Media
    @State private var file: URL?
    @State private var player: AVPlayer?
    @State private var failed = false
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        ZStack {
            Color.black.ignoresSafeArea()
            if let player {
                VideoPlayer(player: player)
            } else if let file, let image = UIImage(contentsOfFile: file.path) {
                Image(uiImage: image).resizable().scaledToFit()
            } else if failed {
                Text("表示できませんでした。通信できる場所で、もう一度お試しください。").foregroundColor(.white).padding()
            } else {
                ProgressView().tint(.white)
            }
        }
        .safeAreaInset(edge: .bottom) { BigButton(title: "閉じる") { dismiss() }.padding() }
        .task { await open() }
        .onDisappear(perform: close)
    }

    private func open() async {
        guard let place = try? Places.scratch(media.kind == .video ? "mp4" : "jpg") else {
            failed = true
            return
        }
        guard await work.reveal(media, at: place), !Task.isCancelled else {
            try? FileManager.default.removeItem(at: place)
            failed = true
            return
        }
        file = place
        if media.kind == .video { player = AVPlayer(url: place) }
    }

    private func close() {
        player?.pause()
        if let file { try? FileManager.default.removeItem(at: file) }
    }
}
