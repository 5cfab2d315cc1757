// RTF with objects; their bytes stand in hex, into which exploits put white space and braces.

private rule rtf_document
{
    condition:
        // Word asks for no more than these four characters.
        uint32be(0) == 0x7B5C7274
}

rule rtf_equation_exploit : rtf exploit
{
    meta:
        id = "9634fa97-f9df-5287-8037-c99e14d7a2b2"
        title = "An RTF document holds an Equation Editor object"
        level = "high"
        description = "The component was removed from Office in 2018 because of what such objects exploit (CVE-2017-11882, CVE-2018-0802)"
        attack = "T1203, T1566.001"
        falsepositives = "Formulas in documents from before 2018"
        facts = "attack_attempted=1"
    strings:
        $object = "\\obj"
        $class_hex = /4571756174696f6e\s{0,4}2e\s{0,4}33/ nocase
        $class = "\\objclass Equation.3" nocase
        $clsid_hex = "02ce020000000000c000000000000046" nocase
    condition:
        rtf_document and $object and any of ($class_hex, $class, $clsid_hex)
}

rule rtf_self_updating_object : rtf exploit
{
    meta:
        id = "0f97f57c-eb96-5f52-983d-9a94cfc4e062"
        title = "An RTF document activates an object when it is opened"
        level = "high"
        description = "An object is updated without a click and holds an OLE file or a link to another host"
        attack = "T1203, T1221"
        falsepositives = "Documents with linked spreadsheets"
        facts = "attack_attempted=1"
    strings:
        $update = "\\objupdate"
        $data = "\\objdata"
        $ole = /d0\s{0,4}cf\s{0,4}11\s{0,4}e0\s{0,4}a1\s{0,4}b1\s{0,4}1a\s{0,4}e1/ nocase
        $moniker = "e0c9ea79f9bace118c8200aa004ba90b" nocase
        $link = "4f4c45324c696e6b" nocase
    condition:
        rtf_document and $update and $data and any of ($ole, $moniker, $link)
}

rule rtf_packaged_program : rtf
{
    meta:
        id = "adec9ee1-8b4c-5d4c-bda2-d0b7c93baba0"
        title = "An RTF document holds a packaged program or script"
        level = "high"
        description = "A Package object names a file that Windows runs"
        attack = "T1204.002, T1027.009"
        falsepositives = "Manuals that attach a tool"
        facts = "attack_attempted=1"
    strings:
        $data = "\\objdata"
        $package = "5061636b61676500" nocase
        // .exe .scr .vbs .js .bat .cmd .hta .ps1 .lnk .wsf, each with the zero behind it
        $name = /2e(657865|736372|766273|6a73|626174|636d64|687461|707331|6c6e6b|777366)00/ nocase
    condition:
        rtf_document and $data and $package and $name
}
