import "math"

// Archives: what the names of their members say. Names are not encrypted where contents are.

private rule archive_zip
{
    condition:
        uint32be(0) == 0x504B0304
}

rule archive_encrypted_program : archive
{
    meta:
        id = "ea4f6251-9474-5ce6-bcf1-e266ca9bbf05"
        title = "A password-protected ZIP holds a program"
        level = "high"
        description = "A member that Windows runs is encrypted, so that no scanner on the way could look at it"
        attack = "T1027.013, T1204.002"
        falsepositives = "Tools that are sent so because filters would stop them"
        facts = "attack_attempted=1"
    strings:
        $member = { 50 4B 03 04 ?? 00 }
    condition:
        archive_zip and
        for any i in (1..math.min(#member, 1000)) : (
            (uint16(@member[i] + 6) & 1) == 1 and
            for any kind in (0x2E657865, 0x2E736372, 0x2E636F6D, 0x2E706966, 0x2E6C6E6B, 0x2E6A7365,
                             0x2E766273, 0x2E777366, 0x2E687461, 0x2E626174, 0x2E636D64, 0x2E707331,
                             0x2E69736F, 0x2E696D67, 0x2E6D7369, 0x2E646C6C) : (
                // .exe .scr .com .pif .lnk .jse .vbs .wsf .hta .bat .cmd .ps1 .iso .img .msi .dll;
                // digits and the dot have the bit of lower case set already
                (uint32be(@member[i] + 26 + uint16(@member[i] + 26)) | 0x20202020) == kind
            )
        )
}

rule archive_double_extension : archive
{
    meta:
        id = "475050b3-f3de-56b6-a545-589dc3248335"
        title = "A member of a ZIP has two extensions"
        level = "high"
        description = "A name looks like a document's and ends as a program's, such as invoice.pdf.exe"
        attack = "T1036.007"
        falsepositives = "None known"
        facts = "attack_attempted=1"
    strings:
        $name = /PK\x01\x02.{42}[^\x00]{1,160}\.(pdf|docx?|xlsx?|pptx?|rtf|txt|jpe?g|png|gif|html?|mp[34]|zip)[ _\xa0]{0,80}\.(exe|scr|com|pif|lnk|jse?|vb[es]|wsf|hta|bat|cmd|ps1|msi|iso)(PK|UT|ux|[\x00-\x1f])/s nocase
    condition:
        archive_zip and $name
}

rule archive_script_member : archive script
{
    meta:
        id = "c4ca18a6-0185-55a3-a59d-a96fcb5054e2"
        title = "A small ZIP holds a script or a shortcut that runs when it is opened"
        level = "medium"
        description = "A member at the top of the archive is one that Windows runs at a click and nobody needs by mail"
        attack = "T1204.002, T1059"
        falsepositives = "Developers who send scripts; web pages with their .js beside them lie in folders"
        facts = "attack_attempted=1"
    strings:
        $name = /PK\x01\x02.{42}[^\x00\/\\]{1,160}\.(lnk|jse|vb[es]|ws[fh]|hta|scr|pif|url)(PK|UT|ux|[\x00-\x1f])/s nocase
    condition:
        archive_zip and filesize < 4MB and $name
}

rule archive_reversed_name : archive
{
    meta:
        id = "2ebd53a7-4ec5-5248-a3fc-7d3ed6457b08"
        title = "A member's name is written from right to left to look like another kind of file"
        level = "high"
        description = "A name in a ZIP holds the character U+202E, behind which invoice-exe.pdf is a program"
        attack = "T1036.002"
        falsepositives = "None known; names in Arabic and Hebrew do not need it"
        facts = "attack_attempted=1"
    strings:
        $name = /PK\x01\x02.{42}[^\x00]{0,200}\xe2\x80\xae/s
    condition:
        archive_zip and $name
}

rule archive_sealed_rar : archive
{
    meta:
        id = "7d2f11a9-840c-5a78-9ee7-2c25050c3596"
        title = "A RAR archive hides even the names of its members"
        level = "low"
        description = "The archive's headers are encrypted, so nothing but its size is known on the way"
        attack = "T1027.013"
        falsepositives = "People who protect what they send"
    condition:
        // RAR 5: the signature, a checksum, a size of one byte and a header of type 4.
        (uint32be(0) == 0x52617221 and uint32be(4) == 0x1A070100 and uint8(13) == 4) or
        // RAR 4: a main header whose flags say that the others are encrypted.
        (uint32be(0) == 0x52617221 and uint16be(4) == 0x1A07 and uint8(6) == 0 and
         uint8(9) == 0x73 and (uint16(10) & 0x80) != 0)
}
