rule eicar_test_file : test
{
    meta:
        id = "d9f2bf62-0afc-5706-936e-c267c4c3354e"
        title = "The EICAR test file, which shows that scanning works"
        level = "medium"
        description = "The 68 agreed bytes at the begin of a file that has nothing behind them but white space"
        falsepositives = "Somebody tests scanners, which is what the file is for"
    strings:
        // In hex, so that this file is not taken for what it looks for.
        $test = { 58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43 29 37 7D 24
                  45 49 43 41 52 2D 53 54 41 4E 44 41 52 44 2D 41 4E 54 49 56 49 52 55 53 2D 54 45 53
                  54 2D 46 49 4C 45 21 24 48 2B 48 2A }
    condition:
        filesize <= 128 and $test at 0
}

rule eicar_in_message : test
{
    meta:
        id = "e3a51560-0352-5e0f-88c4-4cecb8a9a636"
        title = "The EICAR test file inside a message"
        level = "medium"
        description = "The agreed bytes as a part of a message in base64, at each of the three places where they may begin"
        falsepositives = "Somebody tests scanners, which is what the file is for"
    strings:
        $mime = "Content-Transfer-Encoding:" nocase
        // The middle of the bytes alone, which is not the test file.
        $test = "EICAR-STANDARD-ANTIVIRUS-TEST-" base64
    condition:
        $mime and $test
}
