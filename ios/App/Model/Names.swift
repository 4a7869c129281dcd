// SwiftUI has a Text too: on screens the bare name means that one.

import SwiftUI

typealias Text = SwiftUI.Text
