// Before the work: the certificate, signing in, the first password.

import RenrakuCore
import SwiftUI

struct EnrolView: View {
    @ObservedObject var model: AppModel
    @State private var publicUrl = "https://"
    @State private var slug = ""
    @State private var number = ""
    @State private var password = ""
    @State private var deviceName = ""
    @State private var scanning = false

    var body: some View {
        NavigationStack {
            Form {
                Text("施設の管理者に届いたメールの2次元コードを読み取るか、内容を入力してください。")
                if CodeScanner.isSupported {
                    Button("2次元コードを読み取る") { Task { await scan() } }.frame(minHeight: 48)
                }
                Field(name: "自治体のアドレス", text: $publicUrl, keyboard: .URL)
                Field(name: "自治体の略称", text: $slug)
                Field(name: "証明書取得用No", text: $number)
                Field(name: "証明書取得用パスワード", text: $password, secret: true)
                Field(name: "この端末の名前（例：訪問用スマホ1）", text: $deviceName, keyboard: .default)
            }
            .navigationTitle(model.adding ? "別の自治体の証明書設定" : "初回の証明書設定")
            .safeAreaInset(edge: .bottom) {
                BottomBar(trouble: model.trouble, done: model.done) {
                    BigButton(title: "証明書を取得する", symbol: "checkmark.shield") {
                        Task {
                            await model.enrol(
                                publicUrl: publicUrl, slug: slug, number: number, password: password,
                                deviceName: deviceName)
                        }
                    }
                    .disabled(slug.isEmpty || number.isEmpty || password.isEmpty || deviceName.isEmpty)
                    if model.town != nil {
                        BigButton(title: "戻る", prominent: false) { Task { await model.unask() } }
                    }
                }
            }
            .sheet(isPresented: $scanning) {
                CodeScanner { text in
                    scanning = false
                    guard let text else { return refuse() }
                    Task {
                        await model.scan(text)
                        fill()
                    }
                }
                .ignoresSafeArea()
            }
        }
    }

    /// The system knows whether the camera can be used only after it has asked.
    private func scan() async {
        if await Camera.isAllowed(), CodeScanner.isAvailable { scanning = true } else { refuse() }
    }

    private func refuse() {
        (model.trouble, model.done) = (Words.noCamera, nil)
    }

    private func fill() {
        guard let code = model.scanned else { return }
        (publicUrl, slug, number, password) = (code.publicUrl, code.slug, code.number, code.password)
    }
}

struct SignInView: View {
    @ObservedObject var model: AppModel
    @State private var loginId = ""
    @State private var password = ""
    @State private var forgetting: KnownPerson?
    @State private var startingOver = false

    var body: some View {
        NavigationStack {
            Form {
                if !model.people.isEmpty {
                    Section("この端末の利用者") {
                        ForEach(model.people, id: \.staffId) { person in
                            known(person)
                        }
                    }
                }
                Section("サインイン") {
                    Field(name: "ユーザーID", text: $loginId)
                    Field(name: "パスワード", text: $password, secret: true)
                }
                Section("自治体") {
                    ForEach(model.others, id: \.slug) { other in
                        Button("\(other.name)に切り替える") { Task { await model.switchTown(other) } }
                            .frame(minHeight: 48)
                    }
                    Button("別の自治体の証明書を設定する") { model.addTown() }.frame(minHeight: 48)
                }
                Section("困ったとき") {
                    Button("接続を確かめる") { Task { await model.diagnose() } }.frame(minHeight: 48)
                    if model.mayEnrolAnew {
                        Button("証明書を取り直す（保存データは残ります）") { model.enrolAnew() }.frame(minHeight: 48)
                    }
                    Button("この端末の設定をやり直す", role: .destructive) { startingOver = true }
                        .frame(minHeight: 48)
                    if let town = model.town {
                        Text("\(town.office)　\(town.telephone)\n\(town.hours)")
                    }
                }
            }
            .navigationTitle(model.town?.name ?? "連絡")
            .safeAreaInset(edge: .bottom) {
                BottomBar(trouble: model.trouble, done: model.done) {
                    BigButton(title: "サインイン", symbol: "person.fill") {
                        let secret = password
                        password = ""
                        Task { await model.signIn(loginId: loginId, password: secret) }
                    }
                    .disabled(loginId.isEmpty || password.isEmpty)
                }
            }
            .confirmationDialog(
                "この利用者の保存データを端末から消します。未送信の投稿は失われます。",
                isPresented: isForgetting, titleVisibility: .visible, presenting: forgetting
            ) { person in
                Button("\(person.name) を削除", role: .destructive) { Task { await model.forget(person) } }
            }
            .confirmationDialog(
                model.others.isEmpty
                    ? "証明書とすべての利用者の保存データを消します。新しい証明書取得用Noが必要です。"
                    : "この自治体の証明書と、この自治体のすべての利用者の保存データを消します。ほかの自治体のものは残ります。使うには、新しい証明書取得用Noが必要です。",
                isPresented: $startingOver, titleVisibility: .visible
            ) {
                Button("すべて消してやり直す", role: .destructive) { Task { await model.forgetDevice() } }
            }
        }
    }

    private func known(_ person: KnownPerson) -> some View {
        HStack {
            Button { Task { await model.resume(person) } } label: {
                Label("\(person.name) で続ける", systemImage: "faceid")
                    .frame(maxWidth: .infinity, minHeight: 48, alignment: .leading)
            }
            .buttonStyle(.borderless)
            Button { forgetting = person } label: {
                Image(systemName: "trash").frame(width: 48, height: 48)
            }
            .buttonStyle(.borderless)
            .accessibilityLabel("\(person.name) を端末から削除")
        }
    }

    private var isForgetting: Binding<Bool> {
        Binding(get: { forgetting != nil }, set: { if !$0 { forgetting = nil } })
    }
}

struct ChangePasswordView: View {
    @ObservedObject var model: AppModel
    @State private var current = ""
    @State private var new = ""
    @State private var again = ""

    var body: some View {
        NavigationStack {
            Form {
                Text("はじめに、ご自分のパスワードに変更してください。8文字以上で、名前やIDを含まないものにします。")
                Field(name: "今のパスワード", text: $current, secret: true)
                Field(name: "新しいパスワード", text: $new, secret: true)
                Field(name: "新しいパスワード（もう一度）", text: $again, secret: true)
            }
            .navigationTitle("パスワードの変更")
            .safeAreaInset(edge: .bottom) {
                BottomBar(trouble: model.trouble, done: model.done) {
                    BigButton(title: "変更する") {
                        Task { await model.changePassword(current: current, new: new, again: again) }
                    }
                    .disabled(current.isEmpty || new.isEmpty || again.isEmpty)
                    BigButton(title: "やめる", prominent: false) { Task { await model.signOut() } }
                }
            }
        }
    }
}
