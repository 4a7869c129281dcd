// Marking what a photo must not show, before it is sent: a finger draws areas over the photo. What is drawn is kept
// at once, so that a lock does not lose it. Not here: where a finger is in the picture, which is Marking's.

import RenrakuCore
import SwiftUI

struct MarkView: View {
    let shot: Shot
    let onMarks: ([PhotoMark]) -> Void
    @State private var marks: Marks
    @State private var cover = MarkCover.black
    @State private var outline = MarkOutline.rectangle
    @State private var picture: UIImage?
    @State private var failed = false
    @GestureState private var drag: Drag?
    @Environment(\.dismiss) private var dismiss

    private struct Drag {
        let from: CGPoint
        let to: CGPoint
    }

    init(shot: Shot, onMarks: @escaping ([PhotoMark]) -> Void) {
        self.shot = shot
        self.onMarks = onMarks
        _marks = State(initialValue: Marks(shot.marks))
    }

    var body: some View {
        VStack(spacing: 0) {
            Text("顔や名札など、写してはいけないところを指でなぞってください。送る写真から消えます。")
                .frame(maxWidth: .infinity, alignment: .leading)
                .padding()
            GeometryReader { space in
                if let picture {
                    board(picture, Marking(picture: picture.size, view: space.size))
                } else {
                    Group {
                        if failed { Text("写真を表示できませんでした。") } else { ProgressView() }
                    }
                    .frame(maxWidth: .infinity, maxHeight: .infinity)
                }
            }
            .background(Color.gray.opacity(0.2))
            .clipped()
        }
        .safeAreaInset(edge: .bottom) { actions }
        .task {
            picture = await Pictures.upright(shot.file, longest: 2048)
            failed = picture == nil
        }
        .onChange(of: marks.all) {
            onMarks($0)
            UIAccessibility.post(notification: .announcement, argument: "隠すところ \($0.count)か所")
        }
    }

    private func board(_ picture: UIImage, _ marking: Marking) -> some View {
        ZStack(alignment: .topLeading) {
            Color.clear
            Image(uiImage: picture)
                .resizable()
                .accessibilityLabel("写真（隠すところ \(marks.all.count)か所）")
                .drawnOnOnceActivated()
                .placed(at: marking.frame)
            ForEach(Array(marks.all.enumerated()), id: \.offset) { number, mark in
                Covering(mark: mark)
                    .accessibilityElement()
                    .accessibilityLabel("隠すところ \(number + 1)：\(Words.covering(mark))")
                    // A double tap means this one, and not what lies over it.
                    .accessibilityAction { marks.remove(at: number) }
                    .accessibilityAction(named: "取り除く") { marks.remove(at: number) }
                    .placed(at: marking.area(mark))
            }
            if let drag, let mark = marking.drawn(from: drag.from, to: drag.to, cover: cover, outline: outline) {
                Covering(mark: mark).accessibilityHidden(true).placed(at: marking.area(mark))
            }
        }
        .contentShape(Rectangle())
        .gesture(
            DragGesture(minimumDistance: 0)
                .updating($drag) { value, drag, _ in
                    drag = Drag(from: value.startLocation, to: value.location)
                }
                .onEnded { value in
                    marks.touch(
                        from: value.startLocation, to: value.location, on: marking, cover: cover, outline: outline)
                })
    }

    private var actions: some View {
        BottomBar(trouble: nil) {
            if cover == .blur {
                Text("ぼかしは顔に使います。名札や文字は黒塗りで隠してください。")
                    .font(.subheadline)
                    .frame(maxWidth: .infinity, alignment: .leading)
            }
            ViewThatFits(in: .horizontal) {
                HStack(spacing: 16) { choices }
                VStack(spacing: 8) { choices }
            }
            HStack {
                BigButton(title: "元に戻す", symbol: "arrow.uturn.backward", prominent: false) { marks.undo() }
                    .disabled(!marks.canUndo)
                BigButton(title: "完了", symbol: "checkmark") { dismiss() }
            }
        }
    }

    @ViewBuilder private var choices: some View {
        Choice(name: "隠し方", options: Words.covers, chosen: $cover)
        Choice(name: "形", options: Words.outlines, chosen: $outline)
    }
}

/// Two or three words side by side, of which one is chosen.
private struct Choice<Value: Hashable>: View {
    let name: String
    let options: [(value: Value, name: String)]
    @Binding var chosen: Value

    var body: some View {
        HStack(spacing: 8) {
            ForEach(options, id: \.value) { option in
                Button { chosen = option.value } label: {
                    Text(option.name)
                        .fontWeight(option.value == chosen ? .bold : .regular)
                        .frame(maxWidth: .infinity, minHeight: 48)
                        .background(
                            RoundedRectangle(cornerRadius: 10)
                                .fill(Color.accentColor.opacity(option.value == chosen ? 0.25 : 0)))
                        .overlay(
                            RoundedRectangle(cornerRadius: 10)
                                .strokeBorder(Color.accentColor, lineWidth: option.value == chosen ? 3 : 1))
                        .contentShape(Rectangle())
                }
                .buttonStyle(.plain)
                .accessibilityAddTraits(option.value == chosen ? .isSelected : [])
            }
        }
        .accessibilityElement(children: .contain)
        .accessibilityLabel(name)
    }
}

/// A covered area, as it will be but for the line around it; what is blurred is covered more than it will be.
struct Covering: View {
    let mark: PhotoMark

    var body: some View {
        switch mark.outline {
        case .rectangle: covering(Rectangle())
        case .ellipse: covering(Ellipse())
        }
    }

    @ViewBuilder private func covering<Outline: InsettableShape>(_ outline: Outline) -> some View {
        switch mark.cover {
        case .black:
            // The line shows it on a dark photo, too.
            outline.fill(Color.black).overlay(outline.strokeBorder(Color.white, lineWidth: 2))
        case .blur:
            outline.fill(Color.gray.opacity(0.8))
                .overlay(outline.strokeBorder(Color.white, style: StrokeStyle(lineWidth: 2, dash: [6, 4])))
        }
    }
}

extension View {
    /// A finger draws with VoiceOver, too, after a double tap: the first touch only says what it is. Before iOS 17 there
    /// is no such difference, and the first touch would draw.
    @ViewBuilder fileprivate func drawnOnOnceActivated() -> some View {
        if #available(iOS 17, *) {
            accessibilityDirectTouch(options: .requiresActivation)
        } else {
            // A double tap takes nothing away.
            accessibilityAction {}
        }
    }

    /// Puts it where it belongs in a stack that begins in the left upper corner.
    func placed(at area: CGRect) -> some View {
        frame(width: area.width, height: area.height).offset(x: area.minX, y: area.minY)
    }
}
