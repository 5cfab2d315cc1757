// Server-side scripts that run what a request says.

private rule webshell_php_page
{
    strings:
        $a = "<?php" nocase
        $b = "<?="
        $c = /<\?\s/
    condition:
        filesize < 4MB and any of them
}

rule webshell_php_request : webshell php
{
    meta:
        id = "e3212eb1-ef94-5619-ae5b-aef7c80b437e"
        title = "A PHP script runs what a request says"
        level = "critical"
        description = "A value of the request goes straight into a function that evaluates code or runs a command"
        attack = "T1505.003, T1059"
        falsepositives = "Exercises for security courses"
        facts = "malware=1"
    strings:
        $code = /\b(eval|assert|create_function)\s{0,8}\(\s{0,8}(@|stripslashes\s{0,4}\(|base64_decode\s{0,4}\(|gzinflate\s{0,4}\(|str_rot13\s{0,4}\(|\(){0,6}\s{0,8}\$_(POST|GET|REQUEST|COOKIE|SERVER)\b/ nocase
        $command = /\b(system|passthru|shell_exec|exec|popen|proc_open|pcntl_exec)\s{0,8}\(\s{0,8}(@|stripslashes\s{0,4}\(|base64_decode\s{0,4}\(|\(){0,4}\s{0,8}\$_(POST|GET|REQUEST|COOKIE|SERVER)\b/ nocase
        $back = /`\s{0,4}\{?\$_(POST|GET|REQUEST|COOKIE)\b/ nocase
        $called = /\$_(POST|GET|REQUEST|COOKIE)\s{0,4}\[[^\]\r\n]{1,40}\]\s{0,4}\(\s{0,4}\$_(POST|GET|REQUEST|COOKIE)\b/ nocase
    condition:
        webshell_php_page and any of them
}

rule webshell_php_packed : webshell php
{
    meta:
        id = "fc7d19a4-3ca5-58de-b989-ea5b20eb984b"
        title = "A PHP script unpacks itself and runs what comes out"
        level = "high"
        description = "Code is evaluated behind two or more layers of encoding"
        attack = "T1505.003, T1027"
        falsepositives = "Commercial PHP that hides its source"
        facts = "malware=1"
    strings:
        $packed = /\b(eval|assert)\s{0,8}\(\s{0,8}(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|convert_uudecode|hex2bin|base64_decode)\s{0,8}\(\s{0,8}(gzinflate|gzuncompress|gzdecode|str_rot13|strrev|convert_uudecode|hex2bin|base64_decode)\s{0,8}\(/ nocase
    condition:
        webshell_php_page and $packed
}

rule webshell_php_upload : webshell php
{
    meta:
        id = "f5dc288d-510c-5ca2-b25c-a1c3a91432bf"
        title = "A PHP script lets anybody put files on the server and run commands"
        level = "high"
        description = "A small page that stores uploads under the name they come with, beside a way to run commands"
        attack = "T1505.003, T1105"
        falsepositives = "File managers of hosting panels"
        facts = "malware=1"
    strings:
        $store = /move_uploaded_file\s{0,4}\(\s{0,4}\$_FILES/ nocase
        $store_b = /(copy|rename)\s{0,4}\(\s{0,4}\$_FILES/ nocase
        $run_a = "shell_exec" nocase
        $run_b = "passthru" nocase
        $run_c = "proc_open" nocase
        $run_d = "disable_functions" nocase
        $run_e = "php_uname" nocase
    condition:
        webshell_php_page and filesize < 256KB and any of ($store*) and any of ($run_*)
}

rule webshell_jsp_command : webshell jsp
{
    meta:
        id = "ca1e7888-429d-5efe-a761-d5c61e430d6e"
        title = "A JSP page runs what a request says"
        level = "critical"
        description = "A parameter of the request stands beside the start of a process"
        attack = "T1505.003, T1059"
        falsepositives = "Administration pages of old Java applications"
        facts = "malware=1"
    strings:
        $page = "<%"
        $page_x = "<jsp:scriptlet>" nocase
        $run_a = /getRuntime\s{0,4}\(\s{0,4}\)\s{0,4}\.\s{0,4}exec\s{0,4}\(/
        $run_b = /new\s{1,4}(java\.lang\.)?ProcessBuilder\s{0,4}\(/
        $asked_a = "request.getParameter(" nocase
        $asked_b = "request.getHeader(" nocase
        $asked_c = "request.getInputStream(" nocase
    condition:
        filesize < 1MB and any of ($page*) and any of ($run_*) and any of ($asked_*)
}

rule webshell_jsp_class_loader : webshell jsp
{
    meta:
        id = "8186b725-38b9-5204-8f5e-fd065773ac90"
        title = "A JSP page loads classes out of a request"
        level = "critical"
        description = "A class loader of the page's own defines a class from bytes that it decodes or decrypts"
        attack = "T1505.003, T1027"
        falsepositives = "None known in pages"
        facts = "malware=1"
    strings:
        $page = "<%"
        $loader = /extends\s{1,4}(java\.lang\.)?ClassLoader\b/
        $define = "defineClass(" nocase
        $hidden_a = "javax.crypto" nocase
        $hidden_b = "BASE64Decoder"
        $hidden_c = "Base64"
        $asked_a = "request.getReader(" nocase
        $asked_b = "request.getParameter(" nocase
        $asked_c = "request.getInputStream(" nocase
    condition:
        filesize < 1MB and $page and $loader and $define and any of ($hidden_*) and any of ($asked_*)
}

rule webshell_aspx_evaluate : webshell aspx
{
    meta:
        id = "086a7da1-8eca-5748-b704-52e784d739ca"
        title = "An ASP page evaluates what a request says"
        level = "critical"
        description = "A value of the request goes straight into eval or Execute"
        attack = "T1505.003, T1059"
        falsepositives = "None known"
        facts = "malware=1"
    strings:
        $page = "<%"
        $eval = /\b(eval|execute|executeglobal)\s{0,8}\(?\s{0,8}(System\.Text\.[A-Za-z0-9_.]{0,60}\(\s{0,4})?(System\.Convert\.FromBase64String\(\s{0,4})?Request\s{0,4}(\.\s{0,4}(Item|Form|QueryString|Cookies|Headers)\s{0,4})?[\[(]/ nocase
    condition:
        filesize < 1MB and $page and $eval
}

rule webshell_aspx_process : webshell aspx
{
    meta:
        id = "a7e66762-28d9-5984-8928-2be9e0f2e5b3"
        title = "An ASP page starts a shell for a request"
        level = "critical"
        description = "A page starts cmd.exe or PowerShell with what a request or a field of the page says"
        attack = "T1505.003, T1059.003"
        falsepositives = "Administration pages of in-house applications"
        facts = "malware=1"
    strings:
        $page = /<%@\s{0,8}(Page|WebHandler|WebService)\b/ nocase
        $start = "ProcessStartInfo"
        $process = "System.Diagnostics"
        $shell_a = "cmd.exe" nocase
        $shell_b = "powershell" nocase
        $asked_a = /Request\s{0,4}(\.\s{0,4}(Item|Form|QueryString|Params|Headers))?\s{0,4}\[/ nocase
        $asked_b = /<asp:TextBox\b/ nocase
    condition:
        filesize < 1MB and $page and ($start or $process) and any of ($shell_*) and any of ($asked_*)
}
