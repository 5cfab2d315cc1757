// HTML and SVG that build or fetch a file, or run a script where none belongs.

rule html_smuggling_download : html
{
    meta:
        id = "da43dda9-b9cf-5ab1-b666-7190731af974"
        title = "A page builds a file and hands it out as a download"
        level = "high"
        description = "Encoded data becomes a Blob and is saved by script, so that no file ever passes a gateway"
        attack = "T1027.006"
        falsepositives = "Pages of office suites that export what was edited; they do not come as attachments"
        facts = "attack_attempted=1"
    strings:
        $blob = /new\s{1,4}(window\.)?(Blob|File)\s{0,4}\(/ nocase
        $decode_a = "atob(" nocase
        $decode_b = "fromCharCode" nocase
        $decode_c = "charCodeAt" nocase
        $decode_d = "Uint8Array" nocase
        $save_a = "msSaveOrOpenBlob" nocase
        $save_b = "msSaveBlob" nocase
        $object = "createObjectURL" nocase
        $click_a = /\.download\s{0,4}=/ nocase
        $click_b = /setAttribute\s{0,4}\(\s{0,4}['"]download['"]/ nocase
        $click_c = ".click()" nocase
        $page_a = "<script" nocase
        $page_b = "<html" nocase
        $page_c = "<svg" nocase
    condition:
        filesize < 32MB and any of ($page_*) and $blob and any of ($decode_*) and
        (any of ($save_*) or ($object and any of ($click_*)))
}

rule html_embedded_program : html
{
    meta:
        id = "01028b22-01cf-5c26-9379-77456cd13809"
        title = "A page holds an encoded program, container or disk image"
        level = "high"
        description = "Base64 of a PE file, of a ZIP or of an OLE file stands in a script together with what decodes it"
        attack = "T1027.006, T1140"
        falsepositives = "Single-file web applications"
        facts = "attack_attempted=1"
    strings:
        $pe = /['"`]TV(qQAAMAAAAEAAAA|pQAAIAAAAEAA8A|oAAAAAAAAAAAAA|qAAAEAAAAEABAA)/
        $zip = /['"`]UEsDB(BQAA|BQAC|AoAA|BQAI|BQAB)[A-Za-z0-9+\/]{20}/
        $ole = /['"`]0M8R4KGxGuEAAAAA/
        $decode_a = "atob(" nocase
        $decode_b = ".decode64(" nocase
        $decode_c = "charCodeAt" nocase
        $page_a = "<script" nocase
        $page_b = "<svg" nocase
    condition:
        any of ($page_*) and any of ($decode_*) and any of ($pe, $zip, $ole)
}

rule html_data_redirect : html
{
    meta:
        id = "c5810cfb-7606-5756-b367-bf748fcd1413"
        title = "A page sends its reader on to a page that it holds itself"
        level = "medium"
        description = "A refresh, a frame or a script leads to a data: URL with encoded HTML, which no gateway sees as a link"
        attack = "T1027.006, T1566.002"
        falsepositives = "Test pages of developers"
        facts = "attack_attempted=1"
    strings:
        $refresh = /http-equiv\s{0,4}=\s{0,4}['"]?refresh['"]?[^>]{0,80}data:text\/html;/ nocase
        $location = /location(\.href)?\s{0,4}=\s{0,4}['"`]data:text\/html;/ nocase
        $frame = /<(iframe|embed|object)\b[^>]{0,200}(src|data)\s{0,4}=\s{0,4}['"]data:text\/html;base64,/ nocase
    condition:
        any of them
}

rule svg_active_content : svg
{
    meta:
        id = "72e71e7c-3813-5948-9351-00093769ffff"
        title = "A picture runs a script that decodes or leads away"
        level = "high"
        description = "An SVG file holds a script or an event handler that decodes text, evaluates it or opens another page"
        attack = "T1027.017, T1059.007"
        falsepositives = "Interactive charts; they do not decode anything"
        facts = "attack_attempted=1"
    strings:
        $svg = "<svg" nocase
        $html = "<html" nocase
        $script = "<script" nocase
        $handler = /<[a-z]{1,16}\s[^>]{0,400}\bon(load|begin|click|mouseover|error)\s{0,4}=/ nocase
        $act_a = "atob(" nocase
        $act_b = "eval(" nocase
        $act_c = /(window|document|top|self|parent)\.location/ nocase
        $act_d = "location.replace(" nocase
        $act_e = "location.href" nocase
        $act_f = "fromCharCode" nocase
        $act_g = "document.write(" nocase
        $act_h = "window.open(" nocase
    condition:
        $svg in (0..4096) and not $html in (0..4096) and
        ($script or $handler) and any of ($act_*)
}

rule svg_foreign_form : svg
{
    meta:
        id = "d6f6df12-6f11-517f-a60a-0ec26485dab1"
        title = "A picture asks for a password"
        level = "high"
        description = "An SVG file holds HTML with a password field or a frame of another host"
        attack = "T1566.001, T1056.003"
        falsepositives = "None known"
        facts = "attack_attempted=1"
    strings:
        $svg = "<svg" nocase
        $foreign = "<foreignObject" nocase
        $password = /type\s{0,4}=\s{0,4}['"]?password/ nocase
        $frame = /<iframe\b[^>]{0,200}src\s{0,4}=\s{0,4}['"]https?:/ nocase
    condition:
        $svg in (0..4096) and $foreign and ($password or $frame)
}
